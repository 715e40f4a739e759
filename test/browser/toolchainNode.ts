import { join } from "node:path";
import { openBundledToolchain } from "../../src/env/node/bundledToolchain.ts";
import { NodeTree } from "../../src/env/node/sourceTree.ts";
import { LabCatalog } from "../../src/lab/catalog.ts";
import { printOfBuild } from "./toolchainBuild.ts";

/** The untouched kernel as it ships, as text. */
export async function kernelFiles(root: string): Promise<Record<string, string>> {
	const files = await new LabCatalog(new NodeTree(join(root, "dist/assets"))).workspace(undefined);
	return Object.fromEntries([...files].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]));
}

/** The same build in Node, where every object is compiled now. */
export async function build(root: string, files: Readonly<Record<string, string>>) {
	const toolchain = await openBundledToolchain({ dist: join(root, "dist"), caches: [] });
	try {
		return await printOfBuild(toolchain, files);
	} finally {
		toolchain.dispose();
	}
}
