/** Four levels, no formatting: VS Code's log channel, stderr and tests each implement it. */
export interface Logger {
	debug(message: string): void;
	info(message: string): void;
	warn(message: string): void;
	error(message: string): void;
}
