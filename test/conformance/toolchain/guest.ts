import { openBundledToolchain } from "../../../src/env/node/bundledToolchain.ts";
import type { CompileJob, CompileResult, Toolchain } from "../../../src/toolchain/types.ts";
import { runInMachine } from "../machineHost.ts";
import { guestFile } from "./corpus.ts";

const headers = ["guest.h", "csmith.h"];

/** The bundled compiler without any cache: what is judged is compiled now. */
export const openCompiler = () => openBundledToolchain({ dist: "dist", caches: [] });

export interface Unit {
	readonly path: string;
	readonly source: string | Uint8Array;
	readonly flags?: readonly string[];
}

/** Compiles one unit beside the guest's headers; fails with the compiler's words. */
export async function compileUnit(toolchain: Toolchain, unit: Unit): Promise<CompileResult> {
	const job: CompileJob = {
		kind: unit.path.endsWith(".S") ? "assembly" : "c",
		source: unit.path,
		flags: ["-ffreestanding", "-fno-strict-aliasing", "-w", "-I.", ...(unit.flags ?? [])],
		target: "riscv64",
	};
	const result = await toolchain.compile(job, {
		read: (path) => {
			if (path === unit.path) return new Uint8Array(Buffer.from(unit.source));
			return headers.includes(path) ? new Uint8Array(guestFile(path)) : undefined;
		},
	});
	if (!result.object) {
		const said = result.diagnostics.map(({ line, message }) => `${line ?? 0}: ${message}`).join("\n");
		throw new Error(`${unit.path} does not compile:\n${said}\n${result.text}`);
	}
	return result;
}

/** Compiles the units and the guest's own, links them, and gives the image. */
export async function buildGuest(toolchain: Toolchain, units: readonly Unit[]): Promise<Uint8Array> {
	const own: Unit[] = [
		{ path: "crt.S", source: guestFile("crt.S") },
		{ path: "guest.c", source: guestFile("guest.c"), flags: ["-O1", "-fno-builtin"] },
	];
	const objects = await Promise.all(
		[...own, ...units].map(async (unit) => ({
			path: unit.path.replace(/\.[cS]$/, ".o"),
			bytes: (await compileUnit(toolchain, unit)).object as Uint8Array,
		})),
	);
	const script = { path: "link.ld", text: guestFile("link.ld").toString() };
	const linked = await toolchain.link({
		flags: ["-T", "link.ld"],
		objects,
		script,
		output: "elf",
		target: "riscv64",
	});
	if (!linked.image) throw new Error(`the guest does not link:\n${linked.text}`);
	return linked.image;
}

/** What the guest prints on our machine. */
export async function runGuest(image: Uint8Array): Promise<string> {
	const { output } = await runInMachine(image, { harts: 1 }, { jit: "on" });
	return new TextDecoder().decode(output);
}
