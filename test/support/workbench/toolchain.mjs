import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A compiler that the extension finds by itself. */
export const hasCompiler = ["riscv64-unknown-elf-gcc", "riscv64-linux-gnu-gcc"].some((name) =>
	(process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, name))),
);

/** Without it the faster one is taken, and which that is depends on what else the computer does. */
export function useToolchain(folder, kind) {
	mkdirSync(join(folder, ".vscode"), { recursive: true });
	writeFileSync(join(folder, ".vscode/settings.json"), JSON.stringify({ "xv6Lab.toolchain.kind": kind }));
}
