import * as vscode from "vscode";
import { utf8 } from "../common/bytes.ts";
import { LineEditor, type ShellNames } from "../session/lineEditor.ts";
import { ConsoleText } from "./consoleText.ts";

/** Guest output is gathered for one frame before it is handed to the terminal: a call a byte would cost more than the byte. */
const frameMs = 16;

/** What a terminal that nobody has opened yet will show of the past, in characters: some twenty screens. */
const keepUnopened = 100_000;

/** Italic cyan: VS Code keeps colours readable on every theme (`terminal.integrated.minimumContrastRatio`), dimmed text it does not. */
const ours = "\u001b[3;36m";
const plain = "\u001b[0m";

/** The terminal's second buffer, which has no history of its own: the first one stays as it is. */
const otherBuffer = "\u001b[?1049h";
const mainBuffer = "\u001b[?1049l";
const clear = "\u001b[2J\u001b[H";

/** What a terminal shows of the past when it is moved to another tab, in characters. */
const keepMoved = 20_000;

/**
 * The xv6 console as a VS Code terminal. At the shell's prompt the line editor takes the keys; else they go to the guest's UART
 * untouched, and nothing is echoed here: the guest echoes.
 * Survives a restart of the machine; a dead machine says so and `Enter` asks for a new one.
 */
export class XvTerminal implements vscode.Disposable, vscode.Pseudoterminal {
	private readonly writes = new vscode.EventEmitter<string>();
	private readonly closes = new vscode.EventEmitter<number | undefined>();
	private readonly input = new vscode.EventEmitter<Uint8Array>();
	private readonly restarts = new vscode.EventEmitter<void>();
	private readonly closed = new vscode.EventEmitter<void>();
	private readonly shown = new vscode.EventEmitter<number>();
	private readonly text = new ConsoleText();
	private terminal: vscode.Terminal | undefined;
	private recent = "";
	private moving = false;
	/** VS Code is about to make a terminal for us. */
	private expected = false;
	/** Text that came before the terminal opened (events before `open` are dropped by VS Code), or within this frame. */
	private waiting = "";
	private timer: ReturnType<typeof setTimeout> | undefined;
	private opened = false;
	private dead = false;
	private showsPast = false;
	private waitingBytes = 0;
	private cardProgram: string | undefined;
	private readonly editor: LineEditor;

	readonly onDidWrite = this.writes.event;
	readonly onDidClose = this.closes.event;
	readonly onInput = this.input.event;
	readonly onRestartRequested = this.restarts.event;
	/** The user closed the terminal. */
	readonly onClosed = this.closed.event;
	/** So many guest bytes went to the terminal. */
	readonly onShown = this.shown.event;

	constructor(
		private readonly name: string,
		private readonly shell: { readonly lineEditing: boolean; readonly names: ShellNames },
	) {
		this.editor = new LineEditor({
			send: (bytes) => this.input.fire(bytes),
			draw: (text) => this.queue(text),
			names: () => shell.names,
		});
	}

	show(preserveFocus: boolean): void {
		// The one that VS Code makes is shown by itself; another one would take this pseudoterminal from it.
		const comes = this.expected && !this.terminal;
		this.expected = false;
		if (comes) return;
		this.ensure().show(preserveFocus);
		// One that another view of the panel had covered stays where it was scrolled to, and the next verdict comes below.
		void vscode.commands.executeCommand("workbench.action.terminal.scrollToBottom");
	}

	/** For the terminal's profile menu, where VS Code makes the terminal itself: an older one gives up its place. */
	profile(): vscode.TerminalProfile {
		if (this.terminal) {
			this.moving = true;
			this.opened = false;
			this.terminal.dispose();
			this.terminal = undefined;
			this.waiting = this.recent + this.waiting;
			this.recent = "";
		}
		this.expected = true;
		return new vscode.TerminalProfile(this.options());
	}

	private options(): vscode.ExtensionTerminalOptions {
		return { name: this.name, pty: this, iconPath: new vscode.ThemeIcon("vm-running"), isTransient: true };
	}

	/** VS Code made a terminal; it may be ours, from the profile menu. */
	opening(terminal: vscode.Terminal): void {
		if (this.owns(terminal)) this.terminal = terminal;
	}

	owns(terminal: vscode.Terminal): boolean {
		return terminal === this.terminal || (terminal.creationOptions as vscode.ExtensionTerminalOptions).pty === this;
	}

	get isOpen(): boolean {
		return this.opened;
	}

	open(size: vscode.TerminalDimensions | undefined): void {
		this.opened = true;
		if (size) this.setDimensions(size);
		this.flush();
	}

	setDimensions({ columns }: vscode.TerminalDimensions): void {
		// Narrower than a prompt and a character there is nothing to edit in.
		this.editor.columns = Math.max(4, columns);
	}

	close(): void {
		// The older one's end may be told after the newer one's begin.
		if (this.moving) {
			this.moving = false;
			return;
		}
		this.opened = false;
		this.terminal = undefined;
		this.closed.fire();
	}

	handleInput(data: string): void {
		if (this.dead) {
			if (data === "\r") this.restarts.fire();
			return;
		}
		if (this.showsPast) {
			this.input.fire(utf8(data));
			return;
		}
		this.editor.enabled = this.shell.lineEditing;
		this.editor.type(data);
	}

	/** Guest bytes. */
	write(bytes: Uint8Array): void {
		this.waitingBytes += bytes.length;
		const text = this.text.push(bytes);
		this.queue(this.editor.output(text, this.text.lastLine));
	}

	/** The machine shows its past: what the console showed then, in the terminal's other buffer. Undefined: the present is as it was. */
	past(bytes: Uint8Array | undefined): void {
		if (bytes) this.queue(`${this.showsPast ? "" : otherBuffer}${clear}${new ConsoleText().push(bytes)}`);
		else if (this.showsPast) this.queue(mainBuffer);
		this.showsPast = bytes !== undefined;
	}

	/** What was printed after the moment at which these bytes were the last has not happened. */
	futureCut(bytes: Uint8Array): void {
		this.past(undefined);
		this.editor.reset();
		this.text.reset();
		this.text.push(bytes);
		this.note(vscode.l10n.t("A new future begins here: what was printed after this moment has not happened."));
	}

	/** A line of ours, told apart from the guest's by its colour and slant. */
	note(message: string): void {
		this.insert([`${ours}[xv6 Lab] ${message.replaceAll("\n", "\r\n")}${plain}`]);
	}

	/** How a program ended, in lines of ours; `program` is what its link *Run again* runs. */
	card(lines: readonly string[], program: string | undefined): void {
		this.cardProgram = program;
		this.insert(["", ...lines, ""]);
	}

	/** The program of the last card. */
	get ran(): string | undefined {
		return this.cardProgram;
	}

	/** Puts lines above the line that the guest has begun (its prompt), so that it stays the last. */
	private insert(lines: readonly string[]): void {
		const begun = this.text.lastLine;
		const up = begun === "" ? "" : "\r\u001b[K";
		this.queue(this.editor.around(`${up}${lines.join("\r\n")}\r\n${begun}`));
	}

	machineStarted(): void {
		this.dead = false;
		this.past(undefined);
		this.text.reset();
		this.editor.reset();
	}

	machineEnded(why: string): void {
		if (this.dead) return;
		this.dead = true;
		this.editor.reset();
		// A prompt of a machine that is off must not look like one that answers.
		this.queue(this.text.lastLine === "" ? "" : "\r\n");
		this.text.reset();
		this.note(vscode.l10n.t('{0} Press Enter here, or run "xv6: Restart Machine", to boot again.', why));
	}

	dispose(): void {
		if (this.timer !== undefined) clearTimeout(this.timer);
		this.terminal?.dispose();
		for (const emitter of [this.writes, this.closes, this.input, this.restarts, this.closed, this.shown])
			emitter.dispose();
	}

	private ensure(): vscode.Terminal {
		this.terminal ??= vscode.window.createTerminal(this.options());
		return this.terminal;
	}

	private queue(text: string): void {
		this.waiting += text;
		if (!this.opened && this.waiting.length > keepUnopened) this.waiting = this.waiting.slice(-keepUnopened);
		if (!this.opened && this.waitingBytes > 0) {
			this.shown.fire(this.waitingBytes);
			this.waitingBytes = 0;
		}
		if (this.opened && this.timer === undefined) this.timer = setTimeout(() => this.flush(), frameMs);
	}

	private flush(): void {
		this.timer = undefined;
		if (!this.opened || this.waiting === "") return;
		this.writes.fire(this.waiting);
		this.recent = (this.recent + this.waiting).slice(-keepMoved);
		this.waiting = "";
		this.shown.fire(this.waitingBytes);
		this.waitingBytes = 0;
	}
}
