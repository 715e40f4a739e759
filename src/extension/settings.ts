import * as vscode from "vscode";
import type { BuildParams, MachineParams } from "../protocol/engine.ts";

/** Settings of a folder, checked: a wrong value in settings.json counts as not set. */
export interface Settings {
	readonly build: BuildParams;
	readonly machine: MachineParams;
	readonly seeds: number;
	readonly stopOnClose: boolean;
	readonly lineEditing: boolean;
	readonly buildOnSave: boolean;
}

const toolchains = ["auto", "bundled", "host"] as const;

export function readSettings(folder: vscode.Uri, hasProcesses: boolean): Settings {
	const config = vscode.workspace.getConfiguration("xv6Lab", folder);
	const kind = oneOf(config.get("toolchain.kind"), toolchains) ?? "auto";
	const path = config.get("toolchain.path");
	const hostAllowed = hasProcesses && vscode.workspace.isTrusted;
	const harts = integer(config.get("machine.harts"), 1, 8);
	const memoryMiB = integer(config.get("machine.memory"), 1, 1024);
	const virtio = oneOf(config.get("machine.virtio"), ["modern", "legacy"] as const);
	const seed = integer(config.get("machine.seed"), 0, 2 ** 31);
	return {
		build: {
			toolchain: hostAllowed ? kind : "bundled",
			...(hostAllowed && typeof path === "string" && path !== "" ? { toolchainPath: path } : {}),
		},
		machine: {
			...(harts !== undefined ? { harts } : {}),
			...(memoryMiB !== undefined ? { memoryMiB } : {}),
			...(virtio !== undefined ? { virtio } : {}),
			...(seed !== undefined ? { seed } : {}),
			translator: config.get("machine.translator") !== false,
			historyMiB: integer(config.get("history.memory"), 0, 4096) ?? 256,
		},
		seeds: integer(config.get("tests.seeds"), 1, 1000) ?? 50,
		buildOnSave: config.get("build.onSave") !== false,
		lineEditing: config.get("terminal.lineEditing") !== false,
		stopOnClose: config.get("terminal.onClose") !== "keep",
	};
}

/** Undefined outside the range; 0 often stands for "as the tree says" and is outside. */
function integer(value: unknown, low: number, high: number): number | undefined {
	return typeof value === "number" && Number.isInteger(value) && value >= low && value <= high ? value : undefined;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
	return allowed.find((candidate) => candidate === value);
}
