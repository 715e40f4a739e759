import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BuildSession } from "../../build/session.ts";
import { fromUtf8, utf8 } from "../../common/bytes.ts";
import { bug } from "../../common/errors.ts";
import { MemoryTree } from "../../common/sourceTree.ts";
import { distFolder } from "../../env/node/dist.ts";
import { NodeTree } from "../../env/node/sourceTree.ts";
import { openToolchains } from "../../env/node/toolchains.ts";
import { openCatalog } from "../assets.ts";

const programs = ["compute", "storm", "fsloop", "grind"] as const;

export interface Image {
	/** Files, for QEMU as for us. */
	readonly kernel: string;
	readonly disk: string;
	/** Text of compute.c, for the native run. */
	readonly compute: string;
}

/**
 * The bundled kernel with the benchmark's programs on its disk, built by the bundled compiler. Its one difference: floating
 * point is on (mstatus.FS), which xv6 never needs; one hart runs the one program that computes with it.
 */
export async function buildImage(folder: string): Promise<Image> {
	const files = await openCatalog().workspace(undefined);
	const assets = new NodeTree(join(distFolder(), "assets/bench/programs"));
	for (const name of programs) {
		files.set(`user/${name}.c`, (await assets.read(`${name}.c`)) ?? bug(`the benchmark's ${name}.c is missing`));
	}
	edit(files, "Makefile", "UPROGS=\\\n", `UPROGS=\\\n${programs.map((name) => `\t$U/_${name}\\\n`).join("")}`);
	edit(files, "kernel/start.c", "| MSTATUS_MPP_S)", "| MSTATUS_MPP_S | (1L << 13))");
	const opened = await openToolchains({ kind: "bundled" });
	try {
		const tree = new MemoryTree("benchmark", files);
		const { output, diagnostics } = await new BuildSession().build({
			tree,
			toolchain: opened.toolchain,
			wasi: opened.wasi,
		});
		if (!output) bug(`the benchmark's kernel does not build: ${diagnostics[0]?.file}: ${diagnostics[0]?.message}`);
		const image = { kernel: join(folder, "kernel"), disk: join(folder, "fs.img") };
		await writeFile(image.kernel, output.kernel);
		await writeFile(image.disk, output.disk);
		return { ...image, compute: fromUtf8(files.get("user/compute.c") as Uint8Array) };
	} finally {
		opened.dispose();
	}
}

function edit(files: Map<string, Uint8Array>, path: string, from: string, to: string): void {
	const text = fromUtf8(files.get(path) ?? bug(`no ${path}`));
	if (!text.includes(from)) bug(`the benchmark finds no '${from}' in ${path}`);
	files.set(path, utf8(text.replace(from, () => to)));
}
