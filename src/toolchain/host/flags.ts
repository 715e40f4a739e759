import type { Diagnostic } from "../../common/diagnostic.ts";

/**
 * Flags that a tree may give to a compiler, an assembler or a linker of this machine. gcc runs programs (`-specs`, `-B`,
 * `-fplugin`, `-wrapper`), writes any file (`-Wl,-Map=`, `-Wa,-a=`, `-dumpdir`) and reads any file (`-include`, `@file`,
 * `-imacros`): what is not on the list is not given to it. The lists hold what changes code, messages or debug information.
 */

/** Flags of one word. */
const compilerFlags: readonly RegExp[] = [
	/^-O(?:[0-3sgz]|fast)?$/,
	/^-g(?:[0-3]|gdb[0-3]?|dwarf(?:-[2-5])?|strict-dwarf|no-strict-dwarf|columns?-info|no-column-info)?$/,
	/^-m(?!relocation|llvm)[a-z][a-z0-9-]*(?:=[\w.,+-]+)?$/,
	// Warnings, but neither -Wa, -Wp, -Wl, nor what reads a file.
	/^-W(?![apl],)[a-z][\w+-]*(?:=[\w.,+-]+)?$/,
	/^-W$/,
	/^-w$/,
	/^-std=[\w+:]+$/,
	/^-(?:ansi|pedantic|pedantic-errors|pipe|nostdlib|nostdinc|nodefaultlibs|nostartfiles|static|no-pie|nopie|pthread|undef|trigraphs)$/,
	/^-D[A-Za-z_]\w*(?:\([\w, .]*\))?(?:=[^\r\n]*)?$/,
	/^-U[A-Za-z_]\w*$/,
];

/** `-fNAME` and `-fno-NAME`: of the hundreds, those that load, dump, profile, or name a file are not passed. */
const featureFlag = /^-f(?:no-)?([a-z][a-z0-9-]*)(?:=([\w.,+-]+))?$/;
const refusedFeature =
	/plugin|dump|save|record|profile|coverage|lto|pch|pass|module|callgraph|stack-usage|aux|opt-info|sanitize-|xray|randomize|working-directory|diagnostics|prefix|use-ld|linker|offload|openmp|openacc|repo|json|checking|sched-verbose|report|time|embed|crash|cache|rewrite|serialize|proc-stat|charset|compare-debug|self-test|integrated|preprocessed|directives|whole-program|fat-/;

/** Of those with an argument, what is settled elsewhere or only a matter of looks: left out without a word. */
const quietPairs = /^-(?:target|x|arch|MF|MT|MQ)$/;
const quiet = /^(?:--target=[\w.-]+|-c|-S|-E|-M[DPGM]*|-M[FTQ].+|-f(?:no-)?diagnostics-[a-z-]+(?:=\w+)?|-save-temps)$/;

/** Flags whose argument, joined or apart, is a folder of the tree. */
const folderFlags = ["-I", "-isystem", "-iquote", "-idirafter"];
/** Flags whose argument is a file of the tree. */
const fileFlags = ["-include", "-imacros"];

const linkerFlags: readonly RegExp[] = [
	/^-(?:N|n|s|S|x|X|d|r|q|M|v|V|static|Bstatic|nostdlib|build-id|O[0-3]?|no-pie|pie|E|g)$/,
	/^--?(?:omagic|nmagic|no-omagic|strip-(?:all|debug)|discard-(?:all|locals)|gc-sections|no-gc-sections|print-gc-sections|relax|no-relax|emit-relocs|relocatable|no-dynamic-linker|no-undefined|allow-multiple-definition|no-rosegment|rosegment|eh-frame-hdr|no-eh-frame-hdr|no-warn-rwx-segments?|warn-rwx-segments?|no-warn-execstack|warn-common|warn-once|warn-section-align|fatal-warnings|no-fatal-warnings|no-warn-mismatch|noinhibit-exec|cref|print-map|print-memory-usage|stats|export-dynamic|sort-common|no-check-sections|check-sections|start-group|end-group|whole-archive|no-whole-archive|as-needed|no-as-needed|no-pie|nostdlib|static|Bstatic|omit-frame-pointer|no-print-gc-sections|orphan-handling=\w+|build-id(?:=[\w-]+)?|hash-style=\w+|icf=\w+|image-base=(?:0x)?[0-9a-fA-F]+|section-start=[\w.$]+=(?:0x)?[0-9a-fA-F]+|defsym=[\w.$]+=[\w.$+*() -]+|entry=[\w.$]+|undefined=[\w.$]+|unresolved-symbols=[\w-]+|no-dependent-libraries)$/,
	/^-(?:Ttext|Tdata|Tbss|Ttext-segment)=?(?:0x)?[0-9a-fA-F]+$/,
	/^-e[A-Za-z_.$][\w.$]*$/,
	/^-u[A-Za-z_.$][\w.$]*$/,
	/^-z[a-z][a-z-]*(?:=[\w.]+)?$/,
	/^-melf[\w]+$/,
];
/** Flags of two words and what the second may be. */
const linkerPairs: Readonly<Record<string, RegExp>> = {
	"-e": /^[\w.$]+$/,
	"--entry": /^[\w.$]+$/,
	"-u": /^[\w.$]+$/,
	"-z": /^[a-z][a-z-]*(?:=[\w.]+)?$/,
	"-m": /^\w+$/,
	"-A": /^[\w:]+$/,
	"--architecture": /^[\w:]+$/,
	"-Ttext": /^(?:0x)?[0-9a-fA-F]+$/,
	"-Tdata": /^(?:0x)?[0-9a-fA-F]+$/,
	"-Tbss": /^(?:0x)?[0-9a-fA-F]+$/,
	"--defsym": /^[\w.$]+=[\w.$+*() -]+$/,
};

interface CheckedFlags {
	readonly flags: readonly string[];
	/** Flags that are not passed, as the tree has them. */
	readonly refused: readonly string[];
}

/** What of a unit's flags a compiler of this machine gets. */
export function hostCompilerFlags(flags: readonly string[]): CheckedFlags {
	const passed: string[] = [];
	const refused: string[] = [];
	for (let i = 0; i < flags.length; i++) {
		const flag = flags[i] as string;
		if (quiet.test(flag)) continue;
		if (quietPairs.test(flag)) {
			i++;
			continue;
		}
		if (flag === "-D" || flag === "-U") {
			const joined = flag + (flags[++i] ?? "");
			if (isListed(joined, compilerFlags)) passed.push(joined);
			else refused.push(joined);
			continue;
		}
		const folder = folderFlags.find((each) => flag === each || (each === "-I" && flag.startsWith(each)));
		const file = fileFlags.find((each) => flag === each);
		if (folder !== undefined || file !== undefined) {
			const name = folder ?? (file as string);
			const value = flag === name ? (flags[++i] ?? "") : flag.slice(name.length);
			if (staysInside(value)) passed.push(name, value);
			else refused.push(`${name} ${value}`);
			continue;
		}
		if (isListed(flag, compilerFlags) || isFeature(flag)) passed.push(flag);
		else refused.push(flag);
	}
	return { flags: passed, refused };
}

/** What of a link's flags a linker of this machine gets. Scripts come with the job, never from here. */
export function hostLinkerFlags(flags: readonly string[]): CheckedFlags {
	const passed: string[] = [];
	const refused: string[] = [];
	for (let i = 0; i < flags.length; i++) {
		const flag = flags[i] as string;
		const second = linkerPairs[flag];
		if (second) {
			const value = flags[++i] ?? "";
			if (second.test(value)) passed.push(flag, value);
			else refused.push(`${flag} ${value}`);
		} else if (isListed(flag, linkerFlags)) passed.push(flag);
		else refused.push(flag);
	}
	return { flags: passed, refused };
}

export function refusedFlags(flags: readonly string[], file: string, tool: "compiler" | "linker"): Diagnostic[] {
	return [...new Set(flags)].map((flag) => ({
		file,
		severity: "warning",
		message: `the flag ${flag} is not passed to this machine's ${tool}: it is not on xv6 Lab's list of flags that run nothing and reach no file outside the tree`,
		code: "unknown-flag",
		flag,
	}));
}

/** A relative path that does not leave its folder; no tool takes it for an option or a list of options. */
export function staysInside(path: string): boolean {
	if (path === "" || /^[-@/\\=$~]/.test(path) || /^[A-Za-z]:/.test(path) || /[\0\r\n]/.test(path)) return false;
	let depth = 0;
	for (const part of path.split(/[/\\]/)) {
		if (part === "..") depth--;
		else if (part !== "" && part !== ".") depth++;
		if (depth < 0) return false;
	}
	return true;
}

function isListed(flag: string, list: readonly RegExp[]): boolean {
	return list.some((pattern) => pattern.test(flag));
}

function isFeature(flag: string): boolean {
	const [, name] = featureFlag.exec(flag) ?? [];
	return name !== undefined && !refusedFeature.test(name);
}
