import { writeSync } from "node:fs";
import { utf8 } from "../../common/bytes.ts";
import { type Disposable, DisposableStore } from "../../common/disposable.ts";
import { GrowingFile } from "../../env/node/growingFile.ts";
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
	/** Absent: standard error. */
	private readonly file?: GrowingFile;
	private text = "";

	constructor(machine: MachineSurface, { log, logFile }: Pick<QemuConfig, "log" | "logFile">) {
		if (logFile !== undefined) this.file = new GrowingFile(logFile, "give another file with -D");
		if (log.has("int")) this.store.add(machine.onTrap((trap) => this.add(line(trap))));
		if (log.has("guest_errors")) this.store.add(machine.onGuestError((text) => this.add(`${text}\n`)));
	}

	flush(): void {
		if (this.text === "") return;
		const { text } = this;
		this.text = "";
		if (this.file) this.file.write(utf8(text));
		else writeSync(process.stderr.fd, text);
	}

	dispose(): void {
		this.store.dispose();
		this.flush();
		this.file?.close();
	}

	private add(text: string): void {
		this.text += text;
		if (this.text.length > batch) this.flush();
	}
}
