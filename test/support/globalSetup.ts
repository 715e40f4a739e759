import { existsSync, readFileSync } from "node:fs";

const script = new URL("../../scripts/vendor.mjs", import.meta.url).href;
const { toolchainSources } = (await import(script)) as { toolchainSources(): string };
const built = (path: string) => new URL(`../../dist/${path}`, import.meta.url);

/** Tests run against what the build made; saying so beats forty confusing failures. */
export default function setup(): void {
	if (!existsSync(built("machine/core.wasm")))
		throw new Error("dist/machine/core.wasm is missing: run `npm run build` first");
	// What these sources compile would be kept as if those of the build had compiled it.
	if (readFileSync(built("toolchain/sources.txt"), "utf8") !== toolchainSources())
		throw new Error("src/toolchain has changed since the build: run `npm run build` first");
}
