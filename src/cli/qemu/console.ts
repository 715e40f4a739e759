const controlA = 0x01;

/** QEMU's list, as far as there is something to do. */
const keys = [
	"C-a h    print this help",
	"C-a x    exit emulator",
	"C-a c    switch between console and monitor",
	"C-a C-a  sends C-a",
];

interface ConsoleHost {
	/** To the guest's serial line. */
	send(bytes: Uint8Array): void;
	/** To standard output. */
	write(text: string): void;
	quit(): void;
	/** Answers a line typed at the monitor. */
	monitor(line: string): string;
}

export type Focus = "serial" | "monitor";

const prompt = "(qemu) ";
const greeting = "QEMU 7.2.22 monitor - type 'help' for more information\r\n";

/**
 * Standard input between the serial line and the monitor, as QEMU multiplexes them: Ctrl-A is the escape key also where input is a
 * pipe.
 */
export class QemuConsole {
	private escaped = false;
	private focus: Focus;
	private greeted = false;
	private line = "";

	constructor(
		private readonly host: ConsoleHost,
		private readonly stdio: "mux" | "serial" | "monitor",
	) {
		this.focus = "serial";
		if (stdio === "monitor") this.enterMonitor();
	}

	receive(bytes: Uint8Array): void {
		if (this.stdio === "serial") return this.host.send(bytes);
		let out: number[] = [];
		const flush = () => {
			if (out.length > 0) this.host.send(Uint8Array.from(out));
			out = [];
		};
		for (const byte of bytes) {
			if (this.stdio === "mux" && this.escaped) {
				this.escaped = false;
				if (byte !== controlA) {
					flush();
					this.command(String.fromCharCode(byte).toLowerCase());
					continue;
				}
			} else if (this.stdio === "mux" && byte === controlA) {
				this.escaped = true;
				continue;
			}
			if (this.focus === "serial") out.push(byte);
			else this.typed(byte);
		}
		flush();
	}

	private command(letter: string): void {
		const { host } = this;
		if (letter === "x") {
			host.write("QEMU: Terminated\n\r");
			host.quit();
		} else if (letter === "h" || letter === "?") host.write(`\n\r${keys.join("\n\r")}\n\r`);
		else if (letter === "c" && this.focus === "serial") this.enterMonitor();
		else if (letter === "c") {
			this.focus = "serial";
			host.write("\r\n");
		}
	}

	private enterMonitor(): void {
		this.focus = "monitor";
		this.host.write(this.greeted ? prompt : `${greeting}${prompt}`);
		this.greeted = true;
	}

	private typed(byte: number): void {
		const { host } = this;
		if (byte === 0x0d || byte === 0x0a) {
			const { line } = this;
			this.line = "";
			host.write("\r\n");
			const answer = host.monitor(line);
			host.write(`${answer === "" ? "" : `${answer.replaceAll("\n", "\r\n")}\r\n`}${prompt}`);
		} else if (byte === 0x7f || byte === 0x08) {
			if (this.line === "") return;
			this.line = this.line.slice(0, -1);
			host.write("\b \b");
		} else if (byte >= 0x20 && byte < 0x7f) {
			this.line += String.fromCharCode(byte);
			host.write(String.fromCharCode(byte));
		}
	}
}
