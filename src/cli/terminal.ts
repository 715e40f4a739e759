import { type Disposable, toDisposable } from "../common/disposable.ts";

const controlA = 0x01;
const help = `
Ctrl-A H  this help
Ctrl-A X  quit
Ctrl-A Ctrl-A  send Ctrl-A
`;

/** Keys of this process' terminal go to the guest, raw; Ctrl-A is the way out, as QEMU's users expect. `ended`: a pipe or file was read to its end. */
export function attachTerminal(send: (bytes: Uint8Array) => void, quit: () => void, ended: () => void): Disposable {
	const { stdin, stdout } = process;
	const tty = stdin.isTTY === true;
	if (tty) stdin.setRawMode(true);
	let escaped = false;
	const receive = (bytes: Buffer) => {
		if (!tty) return send(new Uint8Array(bytes));
		const keys: number[] = [];
		for (const byte of bytes) {
			if (!escaped) {
				if (byte === controlA) escaped = true;
				// The guest's console takes a carriage return for the Enter key.
				else keys.push(byte);
				continue;
			}
			escaped = false;
			const letter = String.fromCharCode(byte).toLowerCase();
			if (letter === "x") quit();
			else if (letter === "h") stdout.write(help.replaceAll("\n", "\r\n"));
			else if (byte === controlA) keys.push(byte);
		}
		if (keys.length > 0) send(Uint8Array.from(keys));
	};
	stdin.on("data", receive);
	// Also where standard input was closed before the process began.
	for (const event of ["end", "close", "error"]) stdin.once(event, ended);
	stdin.resume();
	return toDisposable(() => {
		stdin.off("data", receive);
		for (const event of ["end", "close", "error"]) stdin.off(event, ended);
		stdin.pause();
		if (tty) {
			stdin.setRawMode(false);
			stdout.write("\n");
		}
	});
}
