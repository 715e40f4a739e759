import { UserError } from "../common/errors.ts";
import type { ToolchainKind } from "../env/node/toolchains.ts";
import type { MachineParams } from "../protocol/engine.ts";

export { buildOptions, machineOptions, parse } from "./commandLine.ts";

export interface MachineFlags {
	readonly harts?: string;
	readonly memory?: string;
	readonly virtio?: string;
	readonly seed?: string;
	readonly "no-jit"?: boolean;
}
export function machineParams(flags: MachineFlags): MachineParams {
	const harts = flags.harts === undefined ? undefined : wholeNumber(flags.harts, "--harts", 1, 8);
	const seed = flags.seed === undefined ? undefined : wholeNumber(flags.seed, "--seed", 0, 2 ** 31);
	const memoryMiB = flags.memory === undefined ? undefined : mebibytes(flags.memory);
	if (flags.virtio !== undefined && flags.virtio !== "modern" && flags.virtio !== "legacy") {
		throw new UserError("usage", `--virtio ${flags.virtio} is not known`, "It is modern or legacy.");
	}
	return {
		...(harts !== undefined ? { harts } : {}),
		...(memoryMiB !== undefined ? { memoryMiB } : {}),
		...(flags.virtio !== undefined ? { virtio: flags.virtio } : {}),
		...(seed !== undefined ? { seed } : {}),
		translator: flags["no-jit"] !== true,
	};
}

export function wholeNumber(text: string, option: string, low: number, high: number): number {
	const value = Number(text);
	if (/^\d+$/.test(text) && value >= low && value <= high) return value;
	throw new UserError("usage", `${option} ${text} is out of range`, `It is a whole number from ${low} to ${high}.`);
}

/** What a machine can have (machine/checkOptions.ts). */
const mostMemoryMiB = 1024;

/** `128M`, `1G` or a number of MiB. */
function mebibytes(text: string): number {
	const match = /^(\d+)([MG]?)$/i.exec(text);
	if (!match) throw new UserError("usage", `--memory ${text} is not a size`, "Write for example 128M.");
	const value = Number(match[1]) * (match[2]?.toUpperCase() === "G" ? 1024 : 1);
	if (value >= 1 && value <= mostMemoryMiB) return value;
	const range = `It is from 1M to ${mostMemoryMiB}M (1G); without it a machine has 128M.`;
	throw new UserError("usage", `--memory ${text} is out of range`, range);
}

export function toolchainKind(text: string | undefined): ToolchainKind {
	if (text === undefined) return "auto";
	if (text === "auto" || text === "bundled" || text === "host") return text;
	throw new UserError("usage", `--toolchain ${text} is not known`, "It is auto, bundled or host.");
}

/** `--timeout`, in milliseconds. */
export function timeoutMs(text: string | undefined): number | undefined {
	if (text === undefined) return undefined;
	const seconds = Number(text);
	if (text.trim() !== "" && seconds > 0 && Number.isFinite(seconds)) return 1000 * seconds;
	throw new UserError("usage", `--timeout ${text} is not a number of seconds`, "Write for example --timeout 60.");
}
