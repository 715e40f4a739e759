import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { fromUtf8, utf8 } from "../../src/common/bytes.ts";
import { crc32 } from "../../src/grade/class/archive/zip.ts";
import type { LabCatalog } from "../../src/lab/catalog.ts";
import { applyPatch } from "../../src/lab/patch.ts";
import { tar, tarGz, zip } from "./archives.ts";

/** A class as an instructor downloads it: every kind of work, packed in every way that LMSs and students pack. */

type Files = ReadonlyMap<string, Uint8Array>;

export interface MadeSubmission {
	/** Name in the folder of the class. */
	readonly name: string;
	/** What it is: `solution 3b`, `mutant kept-lock`. */
	readonly what: string;
	/** Whether a tree comes out of it; else a pattern of what is said. */
	readonly readable: true | RegExp;
}

const lab = "hw5-anonymous-mmap";

/** Trees by what they are, in a fixed order. */
export class WorkShop {
	constructor(
		private readonly catalog: LabCatalog,
		private readonly repository: string,
	) {}

	solution(step: string | undefined): Promise<Files> {
		return this.catalog.workspace(lab, step);
	}

	mutants(): string[] {
		return readdirSync(join(this.repository, "test/labs/mutants", lab)).sort();
	}

	async mutant(name: string): Promise<Files> {
		const folder = join(this.repository, "test/labs/mutants", lab, name);
		const { base } = JSON.parse(readFileSync(join(folder, "mutant.json"), "utf8")) as { base: string };
		return applyPatch(await this.solution(base), readFileSync(join(folder, "mutant.patch"), "utf8"));
	}

	async attack(name: string): Promise<Files> {
		const patch = readFileSync(join(this.repository, "test/cases/attacks", name, "case.patch"), "utf8");
		return applyPatch(await this.solution("3b"), patch);
	}

	async cheat(name: string): Promise<Files> {
		const patch = readFileSync(join(this.repository, "test/labs/cheats", `${name}.patch`), "utf8");
		return applyPatch(await this.solution(undefined), patch);
	}

	/** Boots slowly and for ever: it prints, so no watch of progress ends it before a limit of processor time does. */
	async slow(): Promise<Files> {
		const files = await this.solution("1b");
		const text = fromUtf8(files.get("kernel/main.c") as Uint8Array);
		const loop =
			'for(;;){\n    for(int i = 0; i < 2000; i++)\n      sfence_vma();\n    printf(".");\n  }\n  scheduler();';
		return new Map(files).set("kernel/main.c", utf8(text.replace("scheduler();", loop)));
	}

	/** Its kernel prints for ever when the lab's first program is to begin. */
	async flooding(): Promise<Files> {
		const flood = '  while(strncmp(path, "private", 8) == 0)\n    printf("flood flood flood\\n");\n';
		return this.changed("1b", "kernel/exec.c", (text) =>
			text.replace("  im.pagetable = proc_pagetable(p);\n", `${flood}$&`),
		);
	}

	/** A file of a few lines for which every compiler takes gigabytes. */
	async huge(): Promise<Files> {
		const tens = ["A", "B", "C", "D", "E", "F", "G"].map((name, i, names) => {
			const part = i === 0 ? "1" : names[i - 1];
			return `#define ${name} ${Array(10).fill(part).join(", ")}\n`;
		});
		return this.changed("1b", "kernel/string.c", (text) => `${text}\n${tens.join("")}static int huge[] = { G };\n`);
	}

	private async changed(stage: string, path: string, change: (text: string) => string): Promise<Files> {
		const files = await this.solution(stage);
		const before = fromUtf8(files.get(path) as Uint8Array);
		const after = change(before);
		if (after === before) throw new Error(`nothing changed in ${path}`);
		return new Map(files).set(path, utf8(after));
	}

	async broken(): Promise<Files> {
		const files = await this.solution("1b");
		const text = fromUtf8(files.get("kernel/vm.c") as Uint8Array);
		return new Map(files).set("kernel/vm.c", utf8(`${text}\nint broken( {\n`));
	}
}

/** Another kernel for each number, that does the same. */
export function marked(files: Files, number: number): Files {
	const text = fromUtf8(files.get("kernel/main.c") ?? new Uint8Array());
	return new Map(files).set("kernel/main.c", utf8(`${text}\nint handedin = ${number + 1};\n`));
}

/** Ways of handing in; each writes into the folder of the class, and returns its name there. */
export const packings: readonly ((folder: string, files: Files, number: number) => string)[] = [
	(folder, files, number) => writeTree(folder, `student${number}`, files),
	(folder, files, number) => {
		const name = `Doe Jane_${1000 + number}_assignsubmission_file`;
		const inside = entries(files, "xv6 (final)/xv6-labs/");
		return write(folder, `${name}/hw5 last version.zip`, zip([...inside, ...litter]), name);
	},
	(folder, files, number) =>
		write(folder, `doejohn_late_${2000 + number}_77${number}_hw5-1.tar.gz`, tarGz(tarEntries(files, "hw5/"))),
	(folder, files, number) => write(folder, `roejoan_${3000 + number}_88${number}_xv6.zip`, zip(entries(files, ""))),
	(folder, files, number) => write(folder, `submission_${4000 + number}.tar`, tar(tarEntries(files, "./"))),
	(folder, files, number) => {
		// A checkout in which somebody has built.
		const name = writeTree(folder, `team-${number}`, files);
		for (const file of [".git/HEAD", "kernel/kernel", "kernel/main.o", "fs.img", "user/_sh"]) {
			write(folder, `${name}/${file}`, utf8("x"));
		}
		return name;
	},
	// An archive inside another, and a name that says the wrong kind.
	(folder, files, number) =>
		write(
			folder,
			`hw5_muster${number}_attempt_2026-11-20-10-00-00_a.zip`,
			tarGz([{ name: "a/b/it.zip", bytes: zip(entries(files, "")) }]),
		),
	(folder, files, number) => {
		const { Makefile: _, ...rest } = Object.fromEntries(files);
		return write(folder, `no-makefile-${number}.tgz`, tarGz(tarEntries(new Map(Object.entries(rest)), "")));
	},
];

const litter = [
	{ name: "__MACOSX/xv6 (final)/._xv6-labs", bytes: utf8("x") },
	{ name: "xv6 (final)/.DS_Store", bytes: utf8("x") },
	{ name: "__MACOSX/xv6 (final)/xv6-labs/kernel/._main.c", bytes: utf8("x") },
];

function entries(files: Files, prefix: string) {
	return [...files].map(([path, bytes]) => ({ name: prefix + path, bytes }));
}

function tarEntries(files: Files, prefix: string) {
	return [...files].map(([path, bytes]) => ({ name: prefix + path, bytes }));
}

function write(folder: string, path: string, bytes: Uint8Array, name = path): string {
	mkdirSync(dirname(join(folder, path)), { recursive: true });
	writeFileSync(join(folder, path), bytes);
	return name;
}

function writeTree(folder: string, name: string, files: Files): string {
	for (const [path, bytes] of files) write(folder, `${name}/${path}`, bytes);
	return name;
}

/** What no honest student hands in. */
export function hostileArchives(folder: string, files: Files): MadeSubmission[] {
	const zeros = new Uint8Array(60 * 1024 * 1024);
	const packed = new Uint8Array(deflateRawSync(zeros));
	const crc = crc32(zeros);
	const bomb = Array.from({ length: 20 }, (_, i) => ({ name: `kernel/${i}.c`, bytes: zeros, packed, crc }));
	const whole = zip(entries(files, ""));
	const one = (name: string, what: string, bytes: Uint8Array, readable: RegExp): MadeSubmission => ({
		name: write(folder, name, bytes),
		...{ what, readable },
	});
	writeTree(folder, "linked", files);
	symlinkSync("/etc/hostname", join(folder, "linked/kernel/secret.h"));
	return [
		one(
			"slip.zip",
			"zip slip",
			zip([{ name: "../../slipped.txt", bytes: utf8("x") }, ...entries(files, "")]),
			/leads out of it/,
		),
		one("slip.tar", "tar with a whole path", tar([{ name: "/tmp/slipped.txt", bytes: utf8("x") }]), /leads out of it/),
		one(
			"link.tgz",
			"a link out",
			tarGz([...tarEntries(files, ""), { name: "kernel/x.h", type: "2", target: "../../etc/passwd" }]),
			/link that leads out/,
		),
		one(
			"linkzip.zip",
			"a link out in a zip",
			zip([{ name: "x.h", bytes: utf8("/etc/passwd"), mode: 0o120777 }]),
			/link that leads out/,
		),
		one("device.tar", "a device", tar([{ name: "kernel/null", type: "3" }]), /device or a pipe/),
		one("bomb.zip", "a zip bomb", zip(bomb), /holds more than 256 MiB/),
		one("cut.zip", "half of an archive", whole.subarray(0, whole.length / 2), /damaged/),
		one("locked.zip", "encrypted", zip(entries(files, "").map((entry) => ({ ...entry, flags: 1 }))), /encrypted/),
		one("empty.zip", "no byte", new Uint8Array(), /empty/),
		one("words.zip", "no archive", utf8("I could not finish this week. ".repeat(40)), /damaged/),
		{ name: "linked", what: "a link out of a folder", readable: /link that leads out/ },
		one("pdf/report.pdf", "no tree", utf8("%PDF"), /no xv6 tree/),
	].map((made) => (made.name === "pdf/report.pdf" ? { ...made, name: "pdf" } : made));
}
