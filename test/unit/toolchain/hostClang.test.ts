import { expect, test } from "vitest";
import { fromUtf8, utf8 } from "../../../src/common/bytes.ts";
import { MemoryCache } from "../../../src/toolchain/cache.ts";
import { HostToolchain } from "../../../src/toolchain/host/hostToolchain.ts";
import type { ProcessRunner } from "../../../src/toolchain/host/processRunner.ts";

/** clang as far as it matters here: -S with an assembler inside prints what inline assembly includes, without one it prints the directive. */
const clang: ProcessRunner = {
	run: async (_program, args, files, outputs) => {
		const asWritten = args.join(" ").includes("-Xclang -no-integrated-as");
		const assembly = asWritten ? '.incbin "/etc/passwd"\n' : '.ascii "root"\n';
		const object = fromUtf8(files.get("unit.s") ?? utf8(""));
		const made = args.includes("-S") ? ["unit.s", utf8(assembly)] : ["unit.o", utf8(object)];
		const [name, bytes] = made as [string, Uint8Array];
		return {
			exitCode: 0,
			stdout: "",
			stderr: "",
			cpuMs: 1,
			files: new Map(outputs.includes(name) ? [[name, bytes]] : []),
		};
	},
	find: async (program) => program,
	parallelism: 1,
	sandbox: async () => undefined,
};

test("a file that inline assembly includes never comes through a clang with an assembler inside", async () => {
	const tools = { compiler: "clang", target: ["--target=riscv64"], linker: "ld.lld", version: "14", sandboxed: false };
	const toolchain = new HostToolchain(clang, tools, new MemoryCache());
	const source = utf8('asm(".inc" "bin \\"/etc/passwd\\"");\n');
	const job = { kind: "c", source: "a.c", flags: [], target: "riscv64" } as const;
	const result = await toolchain.compile(job, { read: (path) => (path === "a.c" ? source : undefined) });
	expect(result.object).toBeUndefined();
	expect(result.diagnostics).toMatchObject([{ severity: "error", code: "outside-tree" }]);
});
