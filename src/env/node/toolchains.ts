import { UserError } from "../../common/errors.ts";
import { openHostToolchain } from "../../toolchain/host/hostToolchain.ts";
import type { Toolchain, WasiToolchain } from "../../toolchain/types.ts";
import { openBundledToolchain } from "./bundledToolchain.ts";
import { distFolder } from "./dist.ts";
import { nodeProcessRunner } from "./processRunner.ts";

export type ToolchainKind = "auto" | "bundled" | "host";

export interface OpenedToolchains {
	readonly toolchain: Toolchain;
	/** Builds and runs the tree's mkfs; the toolchain itself when that is the bundled one. */
	readonly wasi: WasiToolchain;
	dispose(): void;
}

export interface ToolchainOptions {
	readonly kind: ToolchainKind;
	/** Folder of the built product; default: beside this file. */
	readonly dist?: string;
	/** A compiler for `host`; default: searched on PATH. */
	readonly path?: string;
	/** Folder of the object cache. */
	readonly cache?: string;
}

/**
 * Opens the toolchain asked for. `auto` takes a working gcc of this machine, which is some three times faster than the bundled
 * compiler, unless there is none; the description says which it is.
 */
export async function openToolchains(options: ToolchainOptions): Promise<OpenedToolchains> {
	const { kind } = options;
	const bundled = await openBundledToolchain({ ...options, dist: options.dist ?? distFolder() });
	const alone = { toolchain: bundled, wasi: bundled, dispose: () => bundled.dispose() };
	if (kind === "bundled") return alone;
	try {
		const host = await openHostToolchain(nodeProcessRunner, options.path);
		return {
			toolchain: host,
			wasi: bundled,
			dispose: () => {
				host.dispose();
				bundled.dispose();
			},
		};
	} catch (error) {
		if (kind === "auto" && error instanceof UserError && error.code !== "cancelled") return alone;
		bundled.dispose();
		throw error;
	}
}
