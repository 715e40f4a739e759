import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { promptAtEnd } from "../../session/consoleText.ts";
import { outputOf, type SessionResult, turnsOf, type Work } from "./works.ts";

const program = "qemu-system-riscv64";

/** The first line of `--version`, undefined when QEMU is not installed. */
export function qemuVersion(): string | undefined {
	const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
	return status === 0 ? stdout.split("\n")[0] : undefined;
}

/** The line of xv6's Makefile; `-snapshot` leaves the image as it is for the next session. */
function argumentsOf(kernel: string, disk: string, harts: number): string[] {
	return [
		...["-machine", "virt", "-bios", "none", "-kernel", kernel, "-m", "128M", "-smp", String(harts), "-nographic"],
		...["-global", "virtio-mmio.force-legacy=false", "-snapshot"],
		...["-drive", `file=${disk},if=none,format=raw,id=x0`],
		...["-device", "virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0"],
	];
}

/** Boots the same image in QEMU and types the same lines. */
export async function qemuSession(
	kernel: string,
	disk: string,
	harts: number,
	works: readonly Work[],
): Promise<SessionResult> {
	const start = performance.now();
	const child = spawn(program, argumentsOf(kernel, disk, harts), { stdio: ["pipe", "pipe", "inherit"] });
	let text = "";
	let wake = () => {};
	let ended: Error | undefined;
	child.stdout.on("data", (bytes: Buffer) => {
		text += bytes.toString("latin1").replaceAll("\r", "");
		wake();
	});
	child.on("error", (error) => {
		ended = error;
		wake();
	});
	child.on("close", (code) => {
		ended ??= new Error(`QEMU ended with code ${code}:\n${text}`);
		wake();
	});
	const toPrompt = async () => {
		while (!promptAtEnd.test(text.slice(-3))) {
			if (ended) throw ended;
			await new Promise<void>((resolve) => {
				wake = resolve;
			});
		}
		return (performance.now() - start) / 1000;
	};
	try {
		const cpu = () => cpuSeconds(child.pid);
		const result: SessionResult = { bootProcess: { seconds: await toPrompt(), cpu: cpu() }, runs: [] };
		for (const { work, turn } of turnsOf(works)) {
			text = "";
			const begin = (performance.now() - start) / 1000;
			const cpuBefore = cpu();
			child.stdin.write(`${work.command}\n`);
			const seconds = (await toPrompt()) - begin;
			const printed = outputOf(text, work.command);
			result.runs.push({ name: work.name, turn, seconds, cpu: cpu() - cpuBefore, text: printed });
		}
		const resident = residentOf(child.pid);
		if (resident !== undefined) result.resident = resident;
		return result;
	} finally {
		child.kill("SIGKILL");
	}
}

/** CPU seconds of all threads of a process so far, where the system tells (Linux, in hundredths). */
function cpuSeconds(pid: number | undefined): number {
	try {
		const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
		return (Number(fields[11]) + Number(fields[12])) / 100;
	} catch {
		return Number.NaN;
	}
}

/** Resident bytes of a process, where the system tells (Linux). */
function residentOf(pid: number | undefined): number | undefined {
	try {
		const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
		return kib === undefined ? undefined : Number(kib) * 1024;
	} catch {
		return undefined;
	}
}
