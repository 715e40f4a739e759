import { loadMicroPython, type MicroPython } from "@micropython/micropython-webassembly-pyscript/micropython.mjs";
import program from "@micropython/micropython-webassembly-pyscript/micropython.wasm";
import { fromUtf8, utf8 } from "../common/bytes.ts";

/** Memory of the interpreter, Python's heap and its files: far more than a grade script needs. */
const mostMemory = 64 * 1024 * 1024;
const heapBytes = 8 * 1024 * 1024;
/** Bytes that a script may write to files, and to its standard output. */
const mostWritten = 16 * 1024 * 1024;
const noSpace = 51;
/** `ask` of gradelib.py opens it. */
const device = "/dev/xv6-lab";

/** Ways from Python to JavaScript objects, by the names of the interpreter's imports. */
const bridges = [
	"call0",
	"call1",
	"call2",
	"calln",
	"call0_kwarg",
	"calln_kwarg",
	"create_promise",
	"js_check_existing",
	"js_get_iter",
	"js_iter_next",
	"js_reflect_construct",
	"js_subscr_load",
	"js_subscr_store",
	"js_then_continue",
	"js_then_reject",
	"js_then_resolve",
	"lookup_attr",
	"proxy_convert_mp_to_js_then_js_to_js_then_js_to_mp_obj_jsside",
	"proxy_convert_mp_to_js_then_js_to_mp_obj_jsside",
	"store_attr",
] as const;

/** How a script ended otherwise than by its last line. */
export class ScriptError extends Error {
	override readonly name = "ScriptError";
}

interface InterpreterOptions {
	/** Files by path; a script's working folder is `/`, ours are in `/lib`. */
	readonly files: ReadonlyMap<string, string>;
	/** Answers a line that Python code wrote to {@link device}. */
	readonly answer: (question: string) => string;
	/** What the script prints, a line at a time. */
	readonly print: (line: string) => void;
}

/**
 * A Python interpreter that has nothing but what it is given: its files are in memory, and the one way out is a device that takes a line
 * and gives one back. It knows JavaScript's objects by nature (`import js`); that way is closed where its program meets ours.
 */
export class Interpreter {
	private constructor(private readonly python: MicroPython) {}

	static async create(options: InterpreterOptions): Promise<Interpreter> {
		const python = await loadMicroPython({
			heapsize: heapBytes,
			stdout: options.print,
			stderr: options.print,
			instantiateWasm: (imports, receive) => {
				seal(imports.env ?? {});
				void WebAssembly.instantiate(program as BufferSource, imports).then(({ instance }) => receive(instance));
			},
		});
		limitFiles(python);
		connect(python, options.answer);
		const folders = new Set<string>();
		for (const [path, text] of options.files) {
			const parts = path.split("/").slice(0, -1);
			parts.forEach((_, i) => {
				const folder = parts.slice(0, i + 1).join("/");
				if (folder !== "" && !folders.has(folder)) python.FS.mkdir(`/${folder}`);
				folders.add(folder);
			});
			python.FS.writeFile(`/${path}`, text);
		}
		python.runPython("import sys\nsys.path.insert(0, '/lib')\nIOError = EnvironmentError = OSError\n");
		return new Interpreter(python);
	}

	/** Runs a module's text as `__main__`. Throws ScriptError with Python's own words, or with the limit that was reached. */
	run(text: string): void {
		try {
			this.python.runPython(text);
		} catch (error) {
			throw new ScriptError(reason(error as Error));
		}
	}
}

function seal(env: Record<string, WebAssembly.ImportValue>): void {
	for (const name of bridges) {
		if (!(name in env)) throw new Error(`the interpreter has no import ${name}`);
		env[name] = () => {
			throw new ScriptError("it reaches for JavaScript's objects (import js, jsffi), which it cannot have here");
		};
	}
	// No attribute of such an object exists.
	env.has_attr = () => 0;
	env.lookup_attr = () => 0;
	const grow = env.emscripten_resize_heap as (bytes: number) => number;
	env.emscripten_resize_heap = (bytes: number) => (bytes >>> 0 > mostMemory ? 0 : grow(bytes));
}

/** Files are memory of the host. */
function limitFiles({ FS }: MicroPython): void {
	let written = 0;
	const write = FS.write;
	FS.write = (stream, from, offset, length, ...rest) => {
		written += length;
		if (written > mostWritten) throw new FS.ErrnoError(noSpace);
		return write.call(FS, stream, from, offset, length, ...rest);
	};
}

function connect({ FS }: MicroPython, answer: (question: string) => string): void {
	let question: Uint8Array[] = [];
	let answered: Uint8Array = new Uint8Array(0);
	const id = FS.makedev(86, 6);
	FS.registerDevice(id, {
		write: (_, from, offset, length) => {
			const piece = from.slice(offset, offset + length);
			question.push(piece);
			if (piece.at(-1) === 10) {
				const text = question.map(fromUtf8).join("");
				question = [];
				answered = utf8(answer(text));
			}
			return length;
		},
		read: (_, to, offset, length) => {
			const part = answered.subarray(0, length);
			to.set(part, offset);
			answered = answered.subarray(part.length);
			return part.length;
		},
	});
	FS.mkdev(device, 0o666, id);
}

/** The last line of a traceback says it; JavaScript's own errors come from limits that the interpreter met. */
function reason(error: Error): string {
	const text = error.message.trim();
	if (error instanceof ScriptError) return text;
	if (error instanceof RangeError || /stack/i.test(text)) return "its calls go too deep";
	const said = text.split("\n").at(-1) ?? text;
	if (/^MemoryError/.test(said)) return `it used up the memory that a script may have (${said})`;
	return said;
}
