// The binary format of WebAssembly, as far as translated code needs it (WebAssembly core specification, chapter 5).

/** Value types and the type of a block without a result. */
export const i32 = 0x7f;
export const i64 = 0x7e;
export const f64 = 0x7c;
export const noResult = 0x40;

/** Instructions without immediates, and with the immediates that {@link CodeWriter} has methods for. */
export const wasm = {
	unreachable: 0x00,
	block: 0x02,
	loop: 0x03,
	if: 0x04,
	else: 0x05,
	end: 0x0b,
	br: 0x0c,
	brIf: 0x0d,
	return: 0x0f,
	call: 0x10,
	returnCallIndirect: 0x13,
	drop: 0x1a,
	select: 0x1b,
	localGet: 0x20,
	localSet: 0x21,
	localTee: 0x22,
	i32Load: 0x28,
	i64Load: 0x29,
	f32Load: 0x2a,
	f64Load: 0x2b,
	i32Load16U: 0x2f,
	i64Load8S: 0x30,
	i64Load8U: 0x31,
	i64Load16S: 0x32,
	i64Load16U: 0x33,
	i64Load32S: 0x34,
	i64Load32U: 0x35,
	i32Store: 0x36,
	i64Store: 0x37,
	f64Store: 0x39,
	i64Store8: 0x3c,
	i64Store16: 0x3d,
	i64Store32: 0x3e,
	i32Const: 0x41,
	i64Const: 0x42,
	i32Eqz: 0x45,
	i32Eq: 0x46,
	i32Ne: 0x47,
	i32LtS: 0x48,
	i32LtU: 0x49,
	i32GeU: 0x4f,
	i64Eqz: 0x50,
	i64Eq: 0x51,
	i64Ne: 0x52,
	i64LtS: 0x53,
	i64LtU: 0x54,
	i64GtS: 0x55,
	i64GtU: 0x56,
	i64GeS: 0x59,
	i64GeU: 0x5a,
	i32Add: 0x6a,
	i32Sub: 0x6b,
	i32Mul: 0x6c,
	i32DivS: 0x6d,
	i32DivU: 0x6e,
	i32RemS: 0x6f,
	i32RemU: 0x70,
	i32And: 0x71,
	i32Or: 0x72,
	i32Xor: 0x73,
	i32Shl: 0x74,
	i32ShrS: 0x75,
	i32ShrU: 0x76,
	i64Add: 0x7c,
	i64Sub: 0x7d,
	i64Mul: 0x7e,
	i64DivS: 0x7f,
	i64DivU: 0x80,
	i64RemS: 0x81,
	i64RemU: 0x82,
	i64And: 0x83,
	i64Or: 0x84,
	i64Xor: 0x85,
	i64Shl: 0x86,
	i64ShrS: 0x87,
	i64ShrU: 0x88,
	i32WrapI64: 0xa7,
	i64ExtendI32S: 0xac,
	i64ExtendI32U: 0xad,
} as const;

/** Growing bytes. */
export class ByteWriter {
	private bytes = new Uint8Array(128);
	length = 0;

	private reserve(count: number): void {
		if (this.length + count <= this.bytes.length) return;
		const bytes = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
		bytes.set(this.bytes);
		this.bytes = bytes;
	}

	byte(value: number): void {
		this.reserve(1);
		this.bytes[this.length++] = value;
	}

	append(bytes: Uint8Array | readonly number[]): void {
		this.reserve(bytes.length);
		this.bytes.set(bytes, this.length);
		this.length += bytes.length;
	}

	unsigned(value: number): void {
		let rest = value >>> 0;
		while (rest > 127) {
			this.byte((rest & 127) | 128);
			rest >>>= 7;
		}
		this.byte(rest);
	}

	/** Signed LEB128 of a 32-bit integer, which is also that of the same 64-bit integer. */
	signed(value: number): void {
		let rest = value | 0;
		for (;;) {
			const low = rest & 127;
			rest >>= 7;
			if ((rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0)) {
				this.byte(low);
				return;
			}
			this.byte(low | 128);
		}
	}

	signedBig(value: bigint): void {
		let rest = BigInt.asIntN(64, value);
		for (;;) {
			const low = Number(rest & 127n);
			rest >>= 7n;
			if ((rest === 0n && (low & 64) === 0) || (rest === -1n && (low & 64) !== 0)) {
				this.byte(low);
				return;
			}
			this.byte(low | 128);
		}
	}

	/** ASCII only. */
	name(text: string): void {
		this.unsigned(text.length);
		for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
	}

	/** What was written; nothing more may be. */
	take(): Uint8Array {
		return this.bytes.subarray(0, this.length);
	}
}

/** A function of a module: its locals and code, and where in these bytes branches are whose condition is hardly ever true. */
export interface FunctionBody {
	readonly code: Uint8Array;
	readonly unlikely: readonly number[];
}

/** Instructions of one function. */
export class CodeWriter extends ByteWriter {
	/** Offsets of branches whose condition is hardly ever true. */
	protected readonly unlikely: number[] = [];

	/** Says so of the `if` or `br_if` that comes next. */
	hardlyEver(): void {
		this.unlikely.push(this.length);
	}

	op(...codes: readonly number[]): void {
		for (const code of codes) this.byte(code);
	}

	get(local: number): void {
		this.byte(wasm.localGet);
		this.unsigned(local);
	}

	set(local: number): void {
		this.byte(wasm.localSet);
		this.unsigned(local);
	}

	tee(local: number): void {
		this.byte(wasm.localTee);
		this.unsigned(local);
	}

	const32(value: number): void {
		this.byte(wasm.i32Const);
		this.signed(value);
	}

	const64(value: number | bigint): void {
		this.byte(wasm.i64Const);
		if (typeof value === "bigint") this.signedBig(value);
		else this.signed(value);
	}

	/** A load or store; the alignment is a hint only, so it is always given as 1. */
	memory(code: number, offset: number): void {
		this.byte(code);
		this.byte(0);
		this.unsigned(offset);
	}

	call(index: number): void {
		this.byte(wasm.call);
		this.unsigned(index);
	}
}

interface FunctionType {
	readonly parameters: readonly number[];
	readonly result: number;
}

interface ImportedFunction {
	readonly name: string;
	/** Index into the types. */
	readonly type: number;
}

export interface ModuleShape {
	readonly types: readonly FunctionType[];
	/** From module "e", in this order; its functions get the first indices. Beside them comes `memory`. */
	readonly imports: readonly ImportedFunction[];
	/** Whether `table` is imported too. */
	readonly table: boolean;
}

function section(out: ByteWriter, id: number, write: (body: ByteWriter) => void): void {
	const body = new ByteWriter();
	write(body);
	out.byte(id);
	out.unsigned(body.length);
	out.append(body.take());
}

/** A module of functions of type 0 that are exported as "0", "1", …; `bodies` hold locals and code. */
export function writeModule(shape: ModuleShape, bodies: readonly FunctionBody[]): Uint8Array {
	const out = new ByteWriter();
	out.append([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
	section(out, 1, (body) => {
		body.unsigned(shape.types.length);
		for (const { parameters, result } of shape.types) {
			body.byte(0x60);
			body.unsigned(parameters.length);
			body.append(parameters);
			body.append([1, result]);
		}
	});
	section(out, 2, (body) => {
		body.unsigned(shape.imports.length + (shape.table ? 2 : 1));
		const from = (name: string, ...kind: readonly number[]) => {
			body.name("e");
			body.name(name);
			body.append(kind);
		};
		from("memory", 2, 0, 1);
		if (shape.table) from("table", 1, 0x70, 0, 0);
		for (const { name, type } of shape.imports) from(name, 0, type);
	});
	section(out, 3, (body) => {
		body.unsigned(bodies.length);
		for (const _ of bodies) body.byte(0);
	});
	section(out, 7, (body) => {
		body.unsigned(bodies.length);
		bodies.forEach((_, index) => {
			body.name(String(index));
			body.byte(0);
			body.unsigned(shape.imports.length + index);
		});
	});
	// Branch hinting, an extension of the specification: "metadata.code.branch_hint".
	section(out, 0, (body) => {
		body.name("metadata.code.branch_hint");
		body.unsigned(bodies.length);
		bodies.forEach(({ unlikely }, index) => {
			body.unsigned(shape.imports.length + index);
			body.unsigned(unlikely.length);
			for (const offset of unlikely) {
				body.unsigned(offset);
				body.append([1, 0]);
			}
		});
	});
	section(out, 10, (body) => {
		body.unsigned(bodies.length);
		for (const { code } of bodies) {
			body.unsigned(code.length);
			body.append(code);
		}
	});
	return out.take();
}
