/** Four levels, no formatting: VS Code's log channel, stderr and tests each implement it. */
export interface Logger {
	debug(message: string): void;
	info(message: string): void;
	warn(message: string): void;
	error(message: string): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Keeps what was logged, so that a test can turn a warning into a failure. */
export class MemoryLogger implements Logger {
	readonly lines: string[] = [];
	debug(message: string): void {
		this.lines.push(`debug: ${message}`);
	}
	info(message: string): void {
		this.lines.push(`info: ${message}`);
	}
	warn(message: string): void {
		this.lines.push(`warn: ${message}`);
	}
	error(message: string): void {
		this.lines.push(`error: ${message}`);
	}
}
