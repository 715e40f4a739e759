/**
 * What a guest prints, for a terminal of a person: text, line control, colours and movements of the cursor pass. All else
 * that a terminal obeys (ECMA-48, xterm's control sequences) is taken out: titles, links and the clipboard (OSC), strings to
 * the terminal (DCS, SOS, PM, APC), questions whose answers are typed into whatever reads the keyboard next, modes and resets.
 */
export class ConsoleFilter {
	private state: "text" | "escape" | "control" | "string" | "stringEscape" | "charset" = "text";
	private sequence = "";

	push(text: string): string {
		let out = "";
		for (const character of text) out += this.step(character);
		return out;
	}

	reset(): void {
		this.state = "text";
		this.sequence = "";
	}

	private step(character: string): string {
		// CAN and SUB end every sequence (ECMA-48, 8.3.6 and 8.3.148).
		if (character === "\u0018" || character === "\u001a") {
			this.reset();
			return "";
		}
		switch (this.state) {
			case "text":
				return this.inText(character);
			case "escape":
				return this.afterEscape(character);
			case "charset":
				this.state = "text";
				return "";
			case "control":
				return this.inControl(character);
			case "string":
				if (character === "\u0007" || character === "\u009c") this.state = "text";
				else if (character === "\u001b") this.state = "stringEscape";
				// A line's end is no part of a string: one that is never closed hides no more than its line.
				else if (character === "\n") {
					this.state = "text";
					return "\n";
				}
				return "";
			case "stringEscape":
				if (character === "\\") {
					this.state = "text";
					return "";
				}
				return this.afterEscape(character);
		}
	}

	private inText(character: string): string {
		if (character === "\u001b") {
			this.state = "escape";
			return "";
		}
		if (character === "\u009b") {
			this.begin();
			return "";
		}
		if (/[\u0090\u0098\u009d-\u009f]/.test(character)) {
			this.state = "string";
			return "";
		}
		// BEL, BS, HT, LF, VT, FF, CR; neither ENQ, which terminals answer, nor shifts of the character set.
		return /[\u0000-\u0006\u000e-\u001f\u007f-\u009f]/.test(character) ? "" : character;
	}

	private afterEscape(character: string): string {
		this.state = "text";
		if (character === "[") this.begin();
		else if (/[\]PX^_]/.test(character)) this.state = "string";
		else if (/[ #%()*+\-./]/.test(character)) this.state = "charset";
		else if (character === "\u001b") this.state = "escape";
		return character === "\n" ? "\n" : "";
	}

	private begin(): void {
		this.state = "control";
		this.sequence = "";
	}

	private inControl(character: string): string {
		if (/[0-9;:<=>?!-/]/.test(character) && this.sequence.length < 64) {
			this.sequence += character;
			return "";
		}
		this.state = character === "\u001b" ? "escape" : "text";
		const isHarmless = /^[0-9;:]*$/.test(this.sequence) && /[mABCDEFGHJKfd]/.test(character);
		if (isHarmless) return `\u001b[${this.sequence}${character}`;
		return character === "\n" ? "\n" : "";
	}
}
