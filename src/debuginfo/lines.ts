import { hex } from "../common/bytes.ts";
import type { ByteReader } from "./byteReader.ts";
import { damaged } from "./byteReader.ts";
import { DW_FORM } from "./dwarf.ts";
import type { DebugSections } from "./unit.ts";

export interface LineRow {
	readonly address: number;
	/** Path as the compiler recorded it, joined with its folder. */
	readonly file: string;
	readonly line: number;
	readonly column: number;
	readonly statement: boolean;
	/** The compiler's word that a breakpoint on the function belongs here. */
	readonly prologueEnd: boolean;
	/** First address after a sequence; names no line. */
	readonly end: boolean;
}

export interface LineTable {
	/** In address order within each sequence, sequences as they come. */
	readonly rows: readonly LineRow[];
	/** File numbers as DW_AT_call_file uses them. */
	fileName(index: number): string | undefined;
}

interface FileEntry {
	readonly name: string;
	readonly folder: number;
}

/** Joins as a reader would write it: no `./`, absolute names stay. */
export function joinPath(folder: string, name: string): string {
	const whole = name.startsWith("/") || folder === "" || folder === "." ? name : `${folder}/${name}`;
	const parts: string[] = [];
	for (const part of whole.split("/")) {
		if (part === "." || (part === "" && parts.length > 0)) continue;
		if (part === ".." && parts.length > 0 && parts.at(-1) !== ".." && parts.at(-1) !== "") parts.pop();
		else parts.push(part);
	}
	return parts.join("/");
}

/** Decodes the line program at an offset in .debug_line (DWARF 6.2). */
export function readLineTable(sections: DebugSections, offset: number): LineTable {
	const { is64, body } = sections.need(".debug_line").from(offset).unit();
	const version = body.u16();
	if (version < 2 || version > 5) throw damaged(`line table version ${version}`);
	if (version >= 5) body.skip(2);
	const headerLength = body.offset(is64);
	const program = body.from(body.at + headerLength);
	const minimumLength = body.u8();
	if (version >= 4) body.u8();
	const defaultStatement = body.u8() !== 0;
	const lineBase = body.s8();
	const lineRange = body.u8();
	const opcodeBase = body.u8();
	if (lineRange === 0 || opcodeBase === 0) throw damaged("a line table with an empty range");
	const lengths = [...body.block(opcodeBase - 1)];
	const names = version >= 5 ? readNames5(sections, body, is64) : readNames4(body);
	const fileName = (index: number): string | undefined => {
		const file = names.files[index];
		return file && joinPath(names.folders[file.folder] ?? "", file.name);
	};
	const rows = run(program, {
		minimumLength,
		defaultStatement,
		lineBase,
		lineRange,
		opcodeBase,
		lengths,
		fileName,
		define: (file) => names.files.push(file),
	});
	return { rows, fileName };
}

function readNames4(reader: ByteReader): { folders: string[]; files: FileEntry[] } {
	// Folder 0 is the unit's own, file 0 does not exist.
	const folders = [""];
	for (let name = reader.string(); name !== ""; name = reader.string()) folders.push(name);
	const files: FileEntry[] = [{ name: "", folder: 0 }];
	for (let name = reader.string(); name !== ""; name = reader.string()) {
		const folder = reader.uleb();
		reader.uleb();
		reader.uleb();
		files.push({ name, folder });
	}
	return { folders, files };
}

function readNames5(sections: DebugSections, reader: ByteReader, is64: boolean) {
	const folders = readEntries(sections, reader, is64).map((entry) => entry.name);
	const files = readEntries(sections, reader, is64);
	// Folder 0 is where the compiler ran: names stay as the build gave them, relative to the tree.
	folders[0] = "";
	return { folders, files };
}

function readEntries(sections: DebugSections, reader: ByteReader, is64: boolean): FileEntry[] {
	const formats = Array.from({ length: reader.u8() }, () => ({ content: reader.uleb(), form: reader.uleb() }));
	const count = reader.uleb();
	if (count > 0 && formats.length === 0) throw damaged("file names without a format");
	if (count > reader.end - reader.at) throw damaged("more file names than bytes");
	return Array.from({ length: count }, () => {
		let name = "";
		let folder = 0;
		for (const { content, form } of formats) {
			const value = readForm(sections, reader, form, is64);
			if (content === 1 && typeof value === "string") name = value;
			else if (content === 2 && typeof value === "number") folder = value;
		}
		return { name, folder };
	});
}

function readForm(sections: DebugSections, reader: ByteReader, form: number, is64: boolean): string | number {
	switch (form) {
		case DW_FORM.string:
			return reader.string();
		case DW_FORM.line_strp:
			return sections.stringAt(".debug_line_str", reader.offset(is64));
		case DW_FORM.strp:
			return sections.stringAt(".debug_str", reader.offset(is64));
		case DW_FORM.udata:
			return reader.uleb();
		case DW_FORM.data1:
			return reader.u8();
		case DW_FORM.data2:
			return reader.u16();
		case DW_FORM.data4:
			return reader.u32();
		case DW_FORM.data8:
			return reader.u64();
		case DW_FORM.data16:
			reader.skip(16);
			return 0;
		case DW_FORM.block:
			reader.skip(reader.uleb());
			return 0;
		default:
			throw damaged(`form ${hex(form)} in a line table`);
	}
}

interface ProgramHeader {
	readonly minimumLength: number;
	readonly defaultStatement: boolean;
	readonly lineBase: number;
	readonly lineRange: number;
	readonly opcodeBase: number;
	readonly lengths: readonly number[];
	fileName(index: number): string | undefined;
	define(file: FileEntry): void;
}

/** The line-number state machine. Every opcode takes at least a byte, so it ends. */
function run(reader: ByteReader, header: ProgramHeader): LineRow[] {
	const rows: LineRow[] = [];
	let address = 0;
	let file = 1;
	let line = 1;
	let column = 0;
	let statement = header.defaultStatement;
	let prologueEnd = false;
	const reset = () => {
		address = 0;
		file = 1;
		line = 1;
		column = 0;
		statement = header.defaultStatement;
		prologueEnd = false;
	};
	const emit = (end: boolean) => {
		rows.push({ address, file: header.fileName(file) ?? "", line, column, statement, prologueEnd, end });
		prologueEnd = false;
	};
	const advance = (operations: number) => {
		address += operations * header.minimumLength;
	};
	while (reader.more) {
		const opcode = reader.u8();
		if (opcode >= header.opcodeBase) {
			const adjusted = opcode - header.opcodeBase;
			advance(Math.floor(adjusted / header.lineRange));
			line += header.lineBase + (adjusted % header.lineRange);
			emit(false);
			continue;
		}
		switch (opcode) {
			case 0: {
				const length = reader.uleb();
				if (length === 0) break;
				const body = reader.from(reader.at, length);
				reader.skip(length);
				const extended = body.u8();
				if (extended === 1) {
					emit(true);
					reset();
				} else if (extended === 2) address = body.u64();
				else if (extended === 3) {
					const name = body.string();
					header.define({ name, folder: body.uleb() });
				}
				break;
			}
			case 1:
				emit(false);
				break;
			case 2:
				advance(reader.uleb());
				break;
			case 3:
				line += reader.sleb();
				break;
			case 4:
				file = reader.uleb();
				break;
			case 5:
				column = reader.uleb();
				break;
			case 6:
				statement = !statement;
				break;
			case 8:
				advance(Math.floor((255 - header.opcodeBase) / header.lineRange));
				break;
			case 9:
				address += reader.u16();
				break;
			case 10:
				prologueEnd = true;
				break;
			default:
				for (let i = 0; i < (header.lengths[opcode - 1] ?? 0); i++) reader.uleb();
		}
	}
	return rows;
}
