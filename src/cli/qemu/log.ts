import { closeSync, openSync, writeSync } from "node:fs";
import { type Disposable, DisposableStore } from "../../common/disposable.ts";
import { UserError } from "../../common/errors.ts";
import type { MachineSurface, Trap } from "../../machine/types.ts";
import type { QemuConfig } from "./arguments.ts";

/** QEMU's names (target/riscv/cpu.c), so that scripts that read its log read this one. */
const exceptions =
	"misaligned_fetch fault_fetch illegal_instruction breakpoint misaligned_load fault_load misaligned_store fault_store user_ecall supervisor_ecall hypervisor_ecall machine_ecall exec_page_fault load_page_fault reserved store_page_fault".split(
		" ",
	);
const interrupts =
	"u_software s_software vs_software m_software u_timer s_timer vs_timer m_timer u_external s_external vs_external m_external".split(
		" ",
	);

const hex = (value: bigint | number) => value.toString(16).padStart(16, "0");

function line({ hart, interrupt, cause, pc, tval }: Trap): string {
	const name = (interrupt ? interrupts : exceptions)[cause] ?? "(unknown)";
	return `riscv_cpu_do_interrupt: hart:${hart}, async:${interrupt ? 1 : 0}, cause:${hex(cause)}, epc:0x${hex(pc)}, tval:0x${hex(tval)}, desc=${name}\n`;
}

/** Bytes of log that are gathered before they are written. */
const batch = 64 * 1024;

/** `-d int,guest_errors`: lines as QEMU's log has them, to `-D FILE` or standard error. */
export class QemuLog implements Disposable {
	private readonly store = new DisposableStore();
	private readonly file: number;
	private text = "";

	constructor(machine: MachineSurface, { log, logFile }: Pick<QemuConfig, "log" | "logFile">) {
		this.file = logFile === undefined ? process.stderr.fd : open(logFile);
		if (log.has("int")) this.store.add(machine.onTrap((trap) => this.add(line(trap))));
		if (log.has("guest_errors")) this.store.add(machine.onGuestError((text) => this.add(`${text}\n`)));
	}

	flush(): void {
		if (this.text === "") return;
		const { text } = this;
		this.text = "";
		writeSync(this.file, text);
	}

	dispose(): void {
		this.store.dispose();
		this.flush();
		if (this.file !== process.stderr.fd) closeSync(this.file);
	}

	private add(text: string): void {
		this.text += text;
		if (this.text.length > batch) this.flush();
	}
}

function open(path: string): number {
	try {
		return openSync(path, "w");
	} catch (error) {
		throw new UserError(
			"file-unwritable",
			`Cannot write ${path}: ${(error as Error).message}`,
			"Give another file with -D.",
		);
	}
}
