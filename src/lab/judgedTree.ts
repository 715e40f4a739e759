import { equalBytes, fromUtf8, utf8 } from "../common/bytes.ts";
import { withoutComments } from "../common/cText.ts";
import { MemoryTree, type SourceTree } from "../common/sourceTree.ts";
import type { LabManifest } from "./manifest.ts";

/** What a disk is built from, and what to say about it. */
export interface JudgedDisk {
	readonly tree: SourceTree;
	/** Names what is the lab's own: a sentence. */
	readonly says: string;
}

/** How somebody else's tree is judged: its kernel, with a disk that is the lab's. Nothing of the tree is changed. */
export interface JudgedTree {
	/** The first that can be built is used. */
	readonly disks: readonly JudgedDisk[];
	/** Files of the lab's programs that differ in the tree: not what is judged. */
	readonly changed: readonly string[];
}

/** Beside the lab's programs: what boots, and what the tests' command lines need. */
const always = ["init", "sh", "cat", "echo"];
const userSide = /^(?:Makefile$|README$|user\/|mkfs\/|kernel\/[^/]+\.h$)/;
/** mkfs lays the disk out as the kernel's own headers say. A quoted include looks beside its file first, so only mkfs gets these. */
const forMkfs = "mkfs/";
/** Other names of a call in newer kernels. */
const aliases: Readonly<Record<string, readonly string[]>> = { SYS_sleep: ["SYS_pause"] };

/**
 * `lab`: a student's workspace of the lab as it is handed out. The user side is wholly the lab's; of the tree's headers only the numbers of
 * the system calls are taken, as numbers, since text of a header could turn the lab's programs into something else.
 */
export async function judgedTree(
	manifest: LabManifest,
	lab: ReadonlyMap<string, Uint8Array>,
	student: SourceTree,
): Promise<JudgedTree> {
	const files = new Map([...lab].filter(([path]) => userSide.test(path)));
	const makefile = files.get("Makefile");
	const programs = [...new Set([...always, ...manifest.programs, ...manifest.tests.map(({ program }) => program)])];
	if (makefile) files.set("Makefile", utf8(withPrograms(fromUtf8(makefile), programs)));
	const numbers = await student.read("kernel/syscall.h");
	const calls = files.get("kernel/syscall.h");
	if (numbers && calls) files.set("kernel/syscall.h", utf8(withNumbers(fromUtf8(calls), fromUtf8(numbers))));
	const stubs = files.get("user/usys.pl");
	if (stubs) files.set("user/usys.pl", utf8(withEagerSbrk(fromUtf8(stubs))));
	for (const { name, kind } of await student.list("kernel")) {
		const bytes = kind === "file" && name.endsWith(".h") ? await student.read(`kernel/${name}`) : undefined;
		if (bytes) files.set(`${forMkfs}kernel/${name}`, bytes);
	}
	const own = `The lab's own files are used for: ${manifest.programs.join(", ")}, sh, init, cat, echo, ulib, printf, umalloc, usys, the programs' headers, UPROGS`;
	const disks: JudgedDisk[] = [{ tree: new MemoryTree("the lab's disk", files), says: `${own} and mkfs` }];
	const mkfs = await student.read("mkfs/mkfs.c");
	if (mkfs) {
		const withMkfs = new Map(files).set("mkfs/mkfs.c", mkfs);
		const says = `${own}; mkfs is the tree's, since the lab's does not fit its file system`;
		disks.push({ tree: new MemoryTree("the lab's disk", withMkfs), says });
	}
	return { disks, changed: await changedFiles(manifest, lab, student) };
}

function withPrograms(makefile: string, programs: readonly string[]): string {
	const list = programs.map((name) => `\t$U/_${name}\\\n`).join("");
	return makefile.replace(/^UPROGS\s*=\\\n(?:[ \t]+\S+\\?\n)+/m, `UPROGS=\\\n${list}\n`);
}

/** The lab's `#define SYS_name number` with the numbers that the tree's kernel gives them; one that it does not know keeps the lab's. */
function withNumbers(lab: string, tree: string): string {
	const text = withoutComments(tree, "words");
	const numberOf = (name: string) =>
		new RegExp(`\\b${name}\\b\\s*(?:[=(]\\s*)?(0[xX][0-9a-fA-F]+|\\d+)`).exec(text)?.[1];
	return lab.replace(/^(#define\s+(SYS_\w+)\s+)(\d+)/gm, (_, head: string, name: string, number: string) => {
		const known = [name, ...(aliases[name] ?? [])].map(numberOf).find((value) => value !== undefined);
		return head + (known ?? number);
	});
}

/** In newer kernels the second argument of sbrk says that memory is wanted at once; older ones do not look at it. */
function withEagerSbrk(script: string): string {
	const stub = [".globl sbrk", "sbrk:", "        li a1, 1", "        li a7, SYS_sbrk", "        ecall", "        ret"];
	return script.replace('entry("sbrk");', stub.map((line) => `print "${line}\\n";`).join("\n"));
}

/** Sources of the lab's programs that say something else in this tree; comments and white space aside. */
export async function changedFiles(
	manifest: LabManifest,
	lab: ReadonlyMap<string, Uint8Array>,
	student: SourceTree,
): Promise<string[]> {
	const changed: string[] = [];
	for (const path of sourcesOf(manifest, lab)) {
		const own = lab.get(path);
		const theirs = await student.read(path);
		if (!own || !theirs || equalBytes(own, theirs)) continue;
		if (essence(own) !== essence(theirs)) changed.push(path);
	}
	return changed;
}

/** By program: which files of the lab's differ in the tree. */
export async function changedPrograms(
	manifest: LabManifest,
	lab: ReadonlyMap<string, Uint8Array>,
	student: SourceTree,
): Promise<ReadonlyMap<string, readonly string[]>> {
	const files = await changedFiles(manifest, lab, student);
	const headers = files.filter((path) => path.endsWith(".h"));
	return new Map(
		manifest.programs.map((program) => {
			const text = fromUtf8(lab.get(`user/${program}.c`) ?? new Uint8Array());
			const own = files.filter((path) => path === `user/${program}.c`);
			return [program, [...own, ...headers.filter((path) => text.includes(`"${path}"`))]];
		}),
	);
}

/** The programs and the headers that they include. */
function sourcesOf(manifest: LabManifest, lab: ReadonlyMap<string, Uint8Array>): string[] {
	const programs = manifest.programs.map((name) => `user/${name}.c`);
	const headers = programs.flatMap((path) =>
		[...fromUtf8(lab.get(path) ?? new Uint8Array()).matchAll(/^#include "(user\/[^"]+)"/gm)].map((match) => match[1]),
	);
	const given = [...new Set(headers)].filter((path) => path !== undefined && path !== "user/user.h");
	return [...programs, ...(given as string[])];
}

function essence(bytes: Uint8Array): string {
	return withoutComments(fromUtf8(bytes), "words").replace(/\s+/g, "");
}
