import { ConsoleFilter } from "../common/consoleFilter.ts";

/** Writes a guest's bytes: to a terminal of a person without what terminals obey, to a file or a pipe as they are. */
export function consoleWriter(stream: NodeJS.WriteStream): (bytes: Uint8Array) => boolean {
	if (stream.isTTY !== true) return (bytes) => stream.write(bytes);
	const decoder = new TextDecoder();
	const filter = new ConsoleFilter();
	return (bytes) => stream.write(filter.push(decoder.decode(bytes, { stream: true })));
}
