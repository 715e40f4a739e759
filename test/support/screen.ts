import { cells } from "../../src/common/cells.ts";

/** A terminal as far as the line editor and a guest's console use one: rows of cells, wrapping with the character after the last column. */
export class Screen {
	private readonly rows: string[][] = [[]];
	row = 0;
	column = 0;

	constructor(readonly columns: number) {}

	write(text: string): void {
		for (const [token] of text.matchAll(/\x1b\[(\d*)([A-Z])|[\s\S]/gu)) {
			const [, count = "1", what] = /^\u001b\[(\d*)([A-Z])$/.exec(token) ?? [];
			if (what === "A") this.row -= Number(count);
			else if (what === "B") this.row += Number(count);
			else if (what === "G") this.column = Number(count) - 1;
			else if (what === "J") this.eraseBelow();
			else if (token === "\r") this.column = 0;
			else if (token === "\n") this.row++;
			else if (token === "\b") this.column = Math.max(0, Math.min(this.column, this.columns - 1) - 1);
			else if (token === "\t") this.column = Math.min(this.columns - 1, (this.column | 7) + 1);
			else if (what !== undefined || token < " ") throw new Error(`the screen does not know ${JSON.stringify(token)}`);
			else this.put(token);
			if (this.row < 0) throw new Error("the cursor left the screen");
			while (this.rows.length <= this.row) this.rows.push([]);
		}
	}

	/** Without spaces at the ends of rows and empty rows at the end. */
	get text(): string {
		const rows = this.rows.map((row) =>
			Array.from(row, (cell) => cell ?? " ")
				.join("")
				.trimEnd(),
		);
		return rows.join("\n").trimEnd();
	}

	private put(character: string): void {
		const width = cells(character);
		const row = this.rows[this.row] as string[];
		if (width === 0) {
			const at = Math.max(0, this.column - 1);
			row[row[at] === "" ? at - 1 : at] += character;
			return;
		}
		if (this.column + width > this.columns) {
			this.row++;
			this.column = 0;
			if (this.rows.length <= this.row) this.rows.push([]);
		}
		const into = this.rows[this.row] as string[];
		into[this.column] = character;
		if (width === 2) into[this.column + 1] = "";
		this.column += width;
	}

	private eraseBelow(): void {
		(this.rows[this.row] as string[]).length = Math.min(this.column, (this.rows[this.row] as string[]).length);
		this.rows.length = this.row + 1;
	}
}
