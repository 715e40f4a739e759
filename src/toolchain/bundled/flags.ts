import type { Diagnostic } from "../../common/diagnostic.ts";
import type { CompileJob } from "../types.ts";
import { WarningFlags } from "./gccWarnings.ts";

/** What the driver makes of xv6's CFLAGS for RISC-V, less what only costs time (key instructions, IR verifier, value names). */
const riscvTarget = [
	"-triple",
	"riscv64-unknown-unknown-elf",
	"-mrelocation-model",
	"static",
	"-mframe-pointer=all",
	"-ffp-contract=on",
	"-fno-rounding-math",
	"-mconstructor-aliases",
	"-nostdsysteminc",
	"-mcmodel=medium",
	"-target-cpu",
	"generic-rv64",
	...["+i", "+m", "+a", "+f", "+d", "+c", "+zicsr", "+zifencei"].flatMap((feature) => ["-target-feature", feature]),
	"-target-abi",
	"lp64d",
	"-fno-signed-char",
	// See literals.ts.
	"-fwritable-strings",
	// Variables of up to 8 bytes stand in .sdata and .sbss, as gcc has them: tests look at where data lies in a page.
	"-msmall-data-limit",
	"8",
];

const wasiTarget = ["-triple", "wasm32-unknown-wasip1", "-internal-isystem", "/usr/include/wasm32-wasip1"];

const common = [
	"-resource-dir",
	"/usr",
	"-internal-isystem",
	"/usr/include",
	"-fgnuc-version=4.2.1",
	"-ferror-limit",
	"19",
	"-fdiagnostics-print-source-range-info",
	"-fdiagnostics-parseable-fixits",
];

/**
 * Which message is an error is decided afterwards, by what gcc has (likeGcc.ts): for clang itself all that gcc warns of is a
 * warning, and `-Werror` stays away from it.
 */
const relaxed = [
	"-Wno-gnu-designator",
	"-Wno-infinite-recursion",
	"-Wno-unknown-warning-option",
	...[
		"implicit-function-declaration",
		"implicit-int",
		"int-conversion",
		"incompatible-pointer-types",
		"incompatible-function-pointer-types",
		"return-mismatch",
		"main-return-type",
		"incompatible-library-redeclaration",
		"parentheses",
	].map((warning) => `-Wno-error=${warning}`),
];

/** gcc's flags that change nothing here: what they ask for is so anyway, or it concerns gcc's own inner life. */
const dropped =
	/^(-M[DMPG]*|-M[FTQ].*|-pipe|-c|-S|-g.*|-fno-omit-frame-pointer|-fno-stack-protector|-fno-pie|-fno-pic|-no-pie|-nopie|-nostdlib|-nostdinc|-static|-mno-relax|-mcmodel=.*|-march=.*|-mabi=.*|-ffreestanding|-fno-common|-fno-builtin.*|-fno-strict-aliasing|-fwrapv|-fno-delete-null-pointer-checks|-save-temps.*|-std=.*|-ansi|-pedantic|-fno-asynchronous-unwind-tables|-ffunction-sections|-fdata-sections|-fno-inline.*|-fno-tree-.*|-fno-ipa.*|-fmax-errors=.*|-fdiagnostics-.*)$/;

/** Of those, the ones that cc1 knows and that change its output. */
const passed =
	/^(-ffreestanding|-fno-builtin.*|-fwrapv|-fno-delete-null-pointer-checks|-std=.*|-pedantic|-fno-common|-ffunction-sections|-fdata-sections)$/;

export interface Cc1Flags {
	readonly args: readonly string[];
	/** What gcc would warn of, and what it would make an error. */
	readonly warnings: WarningFlags;
	/** `-O…` for llc. */
	readonly llcLevel: "-O0" | "-O1" | "-O2";
	readonly diagnostics: readonly Diagnostic[];
}

/** The arguments of `clang -cc1` for gcc's flags of a job. A flag that is not known is named in a warning, never dropped in silence. */
export function cc1Flags(job: CompileJob): Cc1Flags {
	const args = [...(job.target === "riscv64" ? riscvTarget : wasiTarget), ...common];
	const unknown: string[] = [];
	let level = "-O0";
	const { flags } = job;
	for (let i = 0; i < flags.length; i++) {
		const flag = flags[i] as string;
		if (/^-O/.test(flag)) level = levelOf(flag);
		else if (/^-(I|D|U)$/.test(flag)) args.push(flag, flags[++i] ?? "");
		else if (/^-(I|D|U)./.test(flag)) args.push(flag.slice(0, 2), flag.slice(2));
		else if (flag === "-include" || flag === "-isystem" || flag === "-iquote") args.push(flag, flags[++i] ?? "");
		else if (/^-W(no-)?error/.test(flag)) continue;
		else if (/^-W(?!a,|p,|l,)/.test(flag)) args.push(flag);
		else if (flag === "-w") args.push(flag);
		else if (/^-M[FTQ]$/.test(flag)) i++;
		else if (passed.test(flag)) args.push(flag);
		else if (!dropped.test(flag) && !unknown.includes(flag)) unknown.push(flag);
	}
	// gcc's -O1 keeps a last call a call: every caller has its frame in a stack, and recursion uses one.
	if (level === "-O1") args.push("-fno-optimize-sibling-calls");
	const warnings = new WarningFlags(flags);
	// A program of the host is not what the student works on: as with make, it only has to run.
	args.push(...warnings.additional(), ...relaxed, ...(job.target === "wasm32-wasi" ? ["-w"] : []), level);
	const llcLevel = level === "-O0" ? "-O0" : level === "-O1" ? "-O1" : "-O2";
	const diagnostics = unknown.map(
		(flag): Diagnostic => ({
			file: job.source,
			severity: "warning",
			message: `the bundled compiler does not know the flag ${flag} and continues without it`,
			code: "unknown-flag",
			flag,
		}),
	);
	return { args, warnings, llcLevel, diagnostics };
}

function levelOf(flag: string): string {
	if (flag === "-O" || flag === "-Og") return "-O1";
	return /^-O[0-3sz]$/.test(flag) ? flag : "-O2";
}
