import { join } from "node:path";
import { UserError } from "../../common/errors.ts";
import { toolchainSources } from "../../toolchain/bundled/load.ts";
import { HostToolchain } from "../../toolchain/host/hostToolchain.ts";
import { findHostTools } from "../../toolchain/host/tools.ts";
import type { Toolchain, WasiToolchain } from "../../toolchain/types.ts";
import { openBundledToolchain, vendored } from "./bundledToolchain.ts";
import { cacheFolder } from "./cacheFolder.ts";
import { distFolder } from "./dist.ts";
import { DiskCache } from "./objectCache.ts";
import { nodeProcessRunner } from "./processRunner.ts";
import { fasterToolchain } from "./toolchainChoice.ts";

export type ToolchainKind = "auto" | "bundled" | "host";

export interface OpenedToolchains {
	readonly toolchain: Toolchain;
	/** Builds and runs the tree's mkfs; the toolchain itself when that is the bundled one. */
	readonly wasi: WasiToolchain;
	dispose(): void;
}

interface ToolchainOptions {
	readonly kind: ToolchainKind;
	/** Folder of the built product; default: beside this file. */
	readonly dist?: string;
	/** A compiler for `host`; default: searched on PATH. */
	readonly path?: string;
	/** Folder of what is kept between runs; default: one in the user's cache. */
	readonly cache?: string;
	/** See {@link BundledToolchain}. */
	readonly idleMs?: number;
}

/**
 * Opens the toolchain asked for. `auto` takes a working compiler of this machine where it is the faster one, by one measurement
 * that is kept; the toolchain's description says which it is.
 */
export async function openToolchains(options: ToolchainOptions): Promise<OpenedToolchains> {
	const { kind, path } = options;
	const cache = options.cache ?? cacheFolder();
	const objects = join(cache, "objects");
	const dist = options.dist ?? distFolder();
	const bundled = await openBundledToolchain({
		dist,
		cache: objects,
		...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
	});
	const use = (toolchain: Toolchain, description = toolchain.description) => ({
		toolchain: description === toolchain.description ? toolchain : described(toolchain, description),
		wasi: bundled,
		dispose: () => bundled.dispose(),
	});
	if (kind === "bundled") return use(bundled);
	try {
		const tools = await findHostTools(nodeProcessRunner, path);
		const host = new HostToolchain(
			nodeProcessRunner,
			tools,
			new DiskCache(objects),
			await toolchainSources(vendored(dist)),
		);
		if (kind === "host") return use(host);
		const { faster, slower } = await fasterToolchain(host, bundled, join(cache, "faster.json"));
		return use(faster, `${faster.description}, faster here than ${slower.description}`);
	} catch (error) {
		if (kind === "auto" && error instanceof UserError && error.code !== "cancelled") {
			const why = error.code === "toolchain-missing" ? "no RISC-V compiler is on this machine" : error.message;
			return use(bundled, `${bundled.description}: ${why}`);
		}
		bundled.dispose();
		throw error;
	}
}

/** The same toolchain under another description. */
function described(toolchain: Toolchain, description: string): Toolchain {
	const { id, version, parallelism } = toolchain;
	return {
		id,
		description,
		version,
		parallelism,
		compile: (job, files, signal) => toolchain.compile(job, files, signal),
		link: (job, signal) => toolchain.link(job, signal),
		dispose: () => toolchain.dispose(),
	};
}
