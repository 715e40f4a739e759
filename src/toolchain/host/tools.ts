import { utf8 } from "../../common/bytes.ts";
import { UserError } from "../../common/errors.ts";
import type { ProcessRunner } from "./processRunner.ts";

const prefixes = ["riscv64-unknown-elf-", "riscv64-linux-gnu-", "riscv64-elf-", "riscv-none-elf-"];

/** A compiler of this machine and the linker that goes with it. */
export interface HostTools {
	readonly compiler: string;
	/** Arguments before all others: the target for clang. */
	readonly target: readonly string[];
	readonly linker: string;
	/** First line that the compiler says of itself. */
	readonly version: string;
	/** It and its linker work shut in. */
	readonly sandboxed: boolean;
}

const probe = "int answer(int x) { return x + 42; }\nint main(void) { return answer(0); }\n";
const machineFlags = ["-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany"];

/** Finds a compiler and tries it. Throws UserError `toolchain-missing` or `toolchain-broken` with what was tried. */
export async function findHostTools(runner: ProcessRunner, path?: string): Promise<HostTools> {
	const candidates = path ? [path] : [...prefixes.map((prefix) => `${prefix}gcc`), "clang"];
	let failure: UserError | undefined;
	for (const candidate of candidates) {
		const compiler = await runner.find(candidate);
		const tools = compiler && (await toolsOf(runner, compiler));
		if (!tools) continue;
		try {
			return await tryOut(runner, tools);
		} catch (error) {
			if (!(error instanceof UserError) || error.code === "cancelled") throw error;
			// A clang without the target, or an installation that is not whole: the next one may work.
			failure ??= error;
		}
	}
	throw (
		failure ??
		new UserError(
			"toolchain-missing",
			`No RISC-V compiler was found (tried ${candidates.join(", ")})`,
			"Use the bundled toolchain, or name one in the settings.",
		)
	);
}

async function toolsOf(runner: ProcessRunner, compiler: string): Promise<HostTools | undefined> {
	const isClang = /clang[^/\\]*$/.test(compiler);
	const linkers = isClang
		? ["ld.lld", ...prefixes.map((prefix) => `${prefix}ld`)]
		: [compiler.replace(/gcc([^/\\]*)$/, "ld"), "ld.lld"];
	for (const name of linkers) {
		const linker = await runner.find(name);
		if (!linker) continue;
		const target = isClang ? ["--target=riscv64-unknown-elf"] : [];
		const { stdout } = await runner.run(compiler, [...target, "--version"], new Map(), []);
		return { compiler, target, linker, version: stdout.split("\n")[0] ?? "", sandboxed: false };
	}
	return undefined;
}

/** Tries them shut in first: a compiler in a folder of the user's may not find its parts there. */
async function tryOut(runner: ProcessRunner, tools: HostTools): Promise<HostTools> {
	if ((await runner.sandbox()) && (await failureOf(runner, tools, true)) === undefined)
		return { ...tools, sandboxed: true };
	const failure = await failureOf(runner, tools, false);
	if (failure) throw failure;
	return tools;
}

async function failureOf(
	runner: ProcessRunner,
	{ compiler, target, linker }: HostTools,
	sandboxed: boolean,
): Promise<UserError | undefined> {
	const flags = [...target, ...machineFlags, "-ffreestanding", "-nostdlib", "-c", "probe.c", "-o", "probe.o"];
	const inputs = new Map([["probe.c", utf8(probe)]]);
	const compiled = await runner.run(compiler, flags, inputs, ["probe.o"], { sandboxed });
	const object = compiled.files.get("probe.o");
	if (!object) return broken(compiler, compiled.stderr);
	const linkFlags = ["-e", "main", "-Ttext", "0", "-o", "probe", "probe.o"];
	const linked = await runner.run(linker, linkFlags, new Map([["probe.o", object]]), ["probe"], { sandboxed });
	return linked.files.has("probe") ? undefined : broken(linker, linked.stderr);
}

function broken(program: string, text: string): UserError {
	const first = text.trim().split("\n")[0] ?? "";
	return new UserError(
		"toolchain-broken",
		`${program} cannot build a small program: ${first}`,
		"Use the bundled toolchain.",
	);
}
