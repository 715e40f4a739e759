import { openWebToolchain } from "../../src/env/web/bundledToolchain.ts";
import { printOfBuild } from "./toolchainBuild.ts";

/** Files of dist/ are served beside the page. */
async function read(path: string): Promise<Uint8Array> {
	const response = await fetch(path);
	if (!response.ok) throw new Error(`${path}: ${response.status}`);
	return new Uint8Array(await response.arrayBuffer());
}

let toolchain: ReturnType<typeof openWebToolchain> | undefined;

export async function build(files: Readonly<Record<string, string>>) {
	toolchain ??= openWebToolchain(read);
	return printOfBuild(await toolchain, files);
}
