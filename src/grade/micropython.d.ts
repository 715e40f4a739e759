/** What we use of the package; scripts/build.mjs lets `instantiateWasm` through and takes its way to Node out. */
declare module "@micropython/micropython-webassembly-pyscript/micropython.mjs" {
	interface DeviceStream {
		position: number;
	}

	interface DeviceOperations {
		read(stream: DeviceStream, to: Uint8Array, offset: number, length: number): number;
		write(stream: DeviceStream, from: Uint8Array, offset: number, length: number): number;
	}

	export interface MicroPython {
		runPython(code: string): void;
		readonly FS: {
			mkdir(path: string): void;
			writeFile(path: string, data: string): void;
			makedev(major: number, minor: number): number;
			registerDevice(device: number, operations: DeviceOperations): void;
			mkdev(path: string, mode: number, device: number): void;
			write(stream: DeviceStream, from: Uint8Array, offset: number, length: number, ...rest: number[]): number;
			readonly ErrnoError: new (errno: number) => Error;
		};
	}

	export function loadMicroPython(options: {
		heapsize: number;
		pystack?: number;
		stdout(line: string): void;
		stderr(line: string): void;
		instantiateWasm(
			imports: Record<string, Record<string, WebAssembly.ImportValue>>,
			receive: (instance: WebAssembly.Instance) => void,
		): void;
	}): Promise<MicroPython>;
}

declare module "*.py" {
	const text: string;
	export default text;
}

declare module "*/micropython.wasm" {
	const bytes: Uint8Array;
	export default bytes;
}
