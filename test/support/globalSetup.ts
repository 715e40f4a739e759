import { existsSync } from "node:fs";

/** Tests run against what the build made; saying so beats forty confusing failures. */
export default function setup(): void {
	if (!existsSync(new URL("../../dist/machine/core.wasm", import.meta.url))) {
		throw new Error("dist/machine/core.wasm is missing: run `npm run build` first");
	}
}
