import { hex } from "../common/bytes.ts";
import type { Contexts } from "./contexts.ts";
import { notUnderstood } from "./cSyntax.ts";
import type { Space, SpaceName } from "./space.ts";

/** `k:0x80001234`, `u7:0x1000`, `p:0x87f00000`: an address with its space. */
export function memoryReference(space: Space, address: bigint): string {
	return `${space.name}:${hex(address)}`;
}

const pattern = /^(?:(p|k|u(\d{1,9})):)?(0[xX][0-9a-fA-F]{1,16}|\d{1,20})$/;

/** Throws UserError `expression-not-understood`. Without a space an address below the kernel's image is `fallback`'s. */
export function parseReference(contexts: Contexts, text: string, fallback?: Space): { space: Space; address: bigint } {
	const match = pattern.exec(text.trim());
	if (!match)
		throw notUnderstood(
			`\`${text.slice(0, 40)}\` is no address: write 0x…, k:0x… (kernel), u7:0x… (pid 7) or p:0x… (physical)`,
		);
	const [, name, pid, number] = match;
	const address = BigInt.asUintN(64, BigInt(number as string));
	if (name === undefined) return { space: fallback ?? contexts.kernelSpace(), address };
	return { space: spaceNamed(contexts, name as SpaceName, pid), address };
}

function spaceNamed(contexts: Contexts, name: SpaceName, pid: string | undefined): Space {
	if (name === "p") return contexts.physical;
	if (name === "k") return contexts.kernelSpace();
	const process = contexts.processes().find((one) => one.pid === Number(pid));
	if (!process) throw notUnderstood(`There is no process with pid ${pid}`);
	return process.space;
}

/** Writes guest memory page by page; the number of bytes that were written. */
export function writeMemory(contexts: Contexts, space: Space, address: bigint, bytes: Uint8Array): number {
	let done = 0;
	while (done < bytes.length) {
		const at = BigInt.asUintN(64, address + BigInt(done));
		const physical = space.holding(at)?.translate(at);
		if (physical === undefined) break;
		const count = Math.min(bytes.length - done, Number(4096n - (at & 4095n)));
		contexts.machine.memory.write(physical, bytes.subarray(done, done + count));
		done += count;
	}
	return done;
}
