import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The version whose results are recorded; another one may differ where the specification leaves a choice. */
export const recordedVersion = "7.2";

/** QEMU's default CPU reduced to what our machine has: RV64IMAFDC, Zicsr, Zifencei, Sstc, PMP, Sv39. */
export const cpu = "rv64,h=false,zba=false,zbb=false,zbc=false,zbs=false,svinval=false,debug=false";

/** "7.2" where qemu-system-riscv64 is installed. */
export function installedVersion(): string | undefined {
	const { stdout } = spawnSync("qemu-system-riscv64", ["--version"], { encoding: "utf8" });
	return /version (\d+\.\d+)/.exec(stdout ?? "")?.[1];
}

/** The machine that a suite runs on. */
export interface Board {
	readonly harts: number;
	/** Sectors of an empty disk in the first virtio slot. */
	readonly disk?: number;
	readonly virtio?: "legacy";
}

/** Runs a kernel to the test finisher, or for a minute at most; what it sent over the UART. */
export async function runInQemu(elf: Uint8Array, board: Board): Promise<Uint8Array> {
	const folder = await mkdtemp(join(tmpdir(), "conformance-"));
	try {
		const kernel = join(folder, "suite.elf");
		const output = join(folder, "uart.bin");
		await writeFile(kernel, elf);
		const legacy = board.virtio === "legacy";
		const options =
			`-machine virt -bios none -global virtio-mmio.force-legacy=${legacy} -m 128M -smp ${board.harts} -display none -monitor none`.split(
				" ",
			);
		if (board.disk !== undefined) {
			const disk = join(folder, "disk.img");
			await writeFile(disk, new Uint8Array(512 * board.disk));
			options.push("-drive", `file=${disk},if=none,format=raw,id=x0`);
			options.push("-device", "virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0");
		}
		const files = ["-cpu", cpu, "-kernel", kernel, "-serial", `file:${output}`];
		await new Promise<void>((resolve, reject) => {
			execFile(
				"qemu-system-riscv64",
				[...options, ...files],
				{ timeout: 60_000, killSignal: "SIGKILL" },
				(error, _out, stderr) => {
					if (error && !error.killed) reject(new Error(`QEMU failed: ${error.message} ${stderr}`));
					else resolve();
				},
			);
		});
		return new Uint8Array(await readFile(output));
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}
