import { expect, test } from "vitest";
import type { EngineEvents, EngineRequests } from "../../../src/protocol/engine.ts";
import { RpcClient } from "../../../src/protocol/rpc.ts";
import { serveEngine } from "../../../src/worker/engineParts.ts";
import { portPair } from "../../support/localEngine.ts";

/** What an engine asks of its platform; the platform only counts. */

type Platform = Parameters<typeof serveEngine>[1];

function engineWith(toolchain: string) {
	const [near, far] = portPair();
	const asked = { opened: 0, warmed: 0 };
	const openToolchains = async () => {
		asked.opened++;
		return {
			toolchain: { id: toolchain },
			wasi: { id: "bundled", warm: () => asked.warmed++ },
			dispose: () => undefined,
		};
	};
	serveEngine(far, { openToolchains } as unknown as Platform);
	return { asked, client: new RpcClient<EngineRequests, EngineEvents>(near) };
}

test.each([
	["the bundled compiler is loaded before the build that is likely soon", "bundled", 1],
	["where the host's compiler builds, the bundled one is not loaded", "gcc", 0],
])("%s", async (_name, toolchain, warmed) => {
	const { asked, client } = engineWith(toolchain);
	await client.request("warm", { toolchain: "bundled" });
	expect(asked).toEqual({ opened: 1, warmed });
	// The same wish again opens no second toolchain.
	await client.request("warm", { toolchain: "bundled", unoptimized: true });
	expect(asked).toEqual({ opened: 1, warmed: 2 * warmed });
	client.dispose();
});
