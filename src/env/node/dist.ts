import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bug } from "../../common/errors.ts";

/** The `dist` folder, seen from a bundle inside it (`dist/cli/`) and from the sources (tests) alike. */
export function distFolder(): string {
	const here = dirname(fileURLToPath(import.meta.url));
	for (const candidate of [join(here, ".."), join(here, "../../../dist")]) {
		if (existsSync(join(candidate, "machine/core.wasm"))) return candidate;
	}
	return bug(`dist is incomplete beside ${here}: run npm run build`);
}
