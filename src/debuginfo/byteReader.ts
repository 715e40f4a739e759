import { UserError } from "../common/errors.ts";

export function damaged(what: string): UserError {
	return new UserError(
		"debug-info-damaged",
		`The program's debug information is damaged: ${what}`,
		"Build it again with -ggdb; if it stays so, please report it with the ELF file.",
	);
}

const text = new TextDecoder();
/** Of a number of 128 bits. */
const maxLebBytes = 19;

/**
 * Little-endian cursor over one section. Every read is checked against the section's end, so that wrong lengths in the data end in
 * `debug-info-damaged`. 64-bit values come as numbers: addresses of RV64 programs under Sv39 fit, others only lose low bits.
 */
export class ByteReader {
	private readonly view: DataView;

	constructor(
		readonly bytes: Uint8Array,
		/** For messages: `.debug_info`. */
		readonly section: string,
		public at = 0,
		readonly end = bytes.length,
	) {
		this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		if (!(at >= 0 && at <= end && end <= bytes.length)) throw damaged(`offset ${at} is outside ${section}`);
	}

	get more(): boolean {
		return this.at < this.end;
	}

	/** A reader of the same section from `at` on; `length` bytes, default: to this reader's end. */
	from(at: number, length = this.end - at): ByteReader {
		if (at < 0 || length < 0 || at + length > this.end) throw damaged(`offset ${at} is outside ${this.section}`);
		return new ByteReader(this.bytes, this.section, at, at + length);
	}

	private take(count: number): number {
		const at = this.at;
		if (count < 0 || at + count > this.end) throw damaged(`${this.section} ends inside an entry at ${at}`);
		this.at = at + count;
		return at;
	}

	skip(count: number): void {
		this.take(count);
	}

	u8(): number {
		return this.view.getUint8(this.take(1));
	}

	s8(): number {
		return this.view.getInt8(this.take(1));
	}

	u16(): number {
		return this.view.getUint16(this.take(2), true);
	}

	u24(): number {
		const low = this.u16();
		return low | (this.u8() << 16);
	}

	u32(): number {
		return this.view.getUint32(this.take(4), true);
	}

	u64(): number {
		const at = this.take(8);
		return this.view.getUint32(at + 4, true) * 2 ** 32 + this.view.getUint32(at, true);
	}

	/** All 64 bits, for what is no address. */
	big64(): bigint {
		return this.view.getBigUint64(this.take(8), true);
	}

	s64(): bigint {
		return this.view.getBigInt64(this.take(8), true);
	}

	/** Unsigned of 1, 2, 3, 4 or 8 bytes. */
	unsigned(size: number): number {
		switch (size) {
			case 1:
				return this.u8();
			case 2:
				return this.u16();
			case 3:
				return this.u24();
			case 4:
				return this.u32();
			case 8:
				return this.u64();
			default:
				throw damaged(`a value of ${size} bytes in ${this.section}`);
		}
	}

	uleb(): number {
		return this.leb(false);
	}

	sleb(): number {
		return this.leb(true);
	}

	private leb(signed: boolean): number {
		let value = 0;
		let scale = 1;
		for (let i = 0; i < maxLebBytes; i++) {
			const byte = this.u8();
			value += (byte & 0x7f) * scale;
			scale *= 128;
			if (byte < 0x80) return signed && byte & 0x40 ? value - scale : value;
		}
		throw damaged(`a number without end in ${this.section}`);
	}

	/** As `uleb` and `sleb`, with all 64 bits: for constants, which are no addresses. */
	bigLeb(signed: boolean): bigint {
		const from = this.at;
		const value = this.leb(signed);
		if (Number.isSafeInteger(value)) return BigInt(value);
		let exact = 0n;
		for (let i = this.at - 1; i >= from; i--) exact = (exact << 7n) | BigInt((this.bytes[i] as number) & 0x7f);
		return signed ? BigInt.asIntN(7 * (this.at - from), exact) : exact;
	}

	/** Offset or length: 8 bytes in the 64-bit DWARF format, else 4. */
	offset(is64: boolean): number {
		return is64 ? this.u64() : this.u32();
	}

	/** Start of a unit (DWARF 7.4): its length, its format, and a reader that ends with it. */
	unit(): { readonly is64: boolean; readonly body: ByteReader } {
		let length = this.u32();
		let is64 = false;
		if (length === 0xffffffff) {
			length = this.u64();
			is64 = true;
		} else if (length >= 0xfffffff0) throw damaged(`a reserved unit length in ${this.section}`);
		const body = this.from(this.at, length);
		this.at += length;
		return { is64, body };
	}

	block(length: number): Uint8Array {
		const at = this.take(length);
		return this.bytes.subarray(at, at + length);
	}

	string(): string {
		const end = this.bytes.indexOf(0, this.at);
		if (end < 0 || end >= this.end) throw damaged(`a string without end in ${this.section}`);
		const value = text.decode(this.bytes.subarray(this.at, end));
		this.at = end + 1;
		return value;
	}
}
