import { fromUtf8 } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import type { SourceTree, TreeEntry } from "../common/sourceTree.ts";
import { openWebToolchain } from "../env/web/bundledToolchain.ts";
import type { FileAnswer } from "../env/web/engineWorker.ts";
import { webGradeWorkers } from "../env/web/gradeWorker.ts";
import type { StartGradeWorker } from "../grade/gradeRun.ts";
import { LabCatalog } from "../lab/catalog.ts";
import { type Port, sendEvent } from "../protocol/rpc.ts";
import { serveEngine } from "./engineParts.ts";

// The engine in a browser: files of the product come as answers of the extension host, objects are kept in memory.

const open = new Map<number, (answer: FileAnswer) => void>();
let nextQuestion = 1;

self.addEventListener("message", ({ data }: MessageEvent<FileAnswer>) => {
	if (data.fileAnswer === undefined) return;
	open.get(data.fileAnswer)?.(data);
	open.delete(data.fileAnswer);
});

/** Smaller files are nobody's wait. */
const tellFrom = 1e6;
/** Told by the reader that keeps them: compiler and finished objects. */
const kept = /\.gz$|^prebuilt\.bin$/;

function read(path: string): Promise<Uint8Array> {
	const question = nextQuestion++;
	return new Promise((resolve, reject) => {
		open.set(question, ({ bytes, error }) => {
			if (bytes) {
				if (bytes.length > tellFrom && !kept.test(path)) tellRead(path, bytes.length, true);
				resolve(bytes);
			} else
				reject(
					new UserError(
						"file-unreadable",
						`Cannot read ${path}: ${error ?? "no answer"}`,
						"Install the extension again.",
					),
				);
		});
		self.postMessage({ fileQuestion: question, path });
	});
}

/** The assets by the list that the build writes: a worker cannot list folders. */
class AssetTree implements SourceTree {
	readonly label = "xv6 Lab";
	private list_: Promise<readonly string[]> | undefined;

	private get paths(): Promise<readonly string[]> {
		this.list_ ??= read("assets/files.json").then((bytes) => JSON.parse(fromUtf8(bytes)) as string[]);
		return this.list_;
	}

	async read(path: string): Promise<Uint8Array | undefined> {
		return (await this.paths).includes(path) ? read(`assets/${path}`) : undefined;
	}

	async list(folder: string): Promise<readonly TreeEntry[]> {
		const prefix = folder === "" ? "" : `${folder}/`;
		const found = new Map<string, TreeEntry>();
		for (const path of await this.paths) {
			if (!path.startsWith(prefix)) continue;
			const [name, ...rest] = path.slice(prefix.length).split("/");
			if (name) found.set(name, { name, kind: rest.length > 0 ? "folder" : "file" });
		}
		return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
	}
}

let core: Promise<WebAssembly.Module> | undefined;
let graders: Promise<StartGradeWorker> | undefined;
let watchCore: Promise<WebAssembly.Module> | undefined;
/** Messages must get in between two slices: a channel's message comes after those that wait, a promise's does not. */
const channel = new MessageChannel();
let breathing: (() => void)[] = [];
channel.port1.onmessage = () => {
	const waiting = breathing;
	breathing = [];
	for (const resolve of waiting) resolve();
};

const port: Port = {
	post: (message) => self.postMessage(message),
	onMessage: (listener) => {
		const handle = ({ data }: MessageEvent) => {
			if (data.fileAnswer === undefined) listener(data);
		};
		self.addEventListener("message", handle);
		return { dispose: () => self.removeEventListener("message", handle) };
	},
};

/** Over a slow line a reader of the log wants to know what the wait was for. */
function tellRead(path: string, bytes: number, isTransferred: boolean): void {
	const size = `${(bytes / 1e6).toFixed(1)} MB`;
	const message = isTransferred ? `${path}: ${size} transferred` : `${path}: ${size} from the browser's cache`;
	sendEvent(port, "log", { level: "info", message });
}

serveEngine(port, {
	catalog: new LabCatalog(new AssetTree()),
	core: () => {
		core ??= read("machine/core.wasm").then((bytes) => WebAssembly.compile(bytes as BufferSource));
		return core;
	},
	watchCore: () => {
		watchCore ??= read("machine/core-watch.wasm").then((bytes) => WebAssembly.compile(bytes as BufferSource));
		return watchCore;
	},
	openToolchains: async () => {
		const bundled = await openWebToolchain(read, tellRead);
		return { toolchain: bundled, wasi: bundled, dispose: () => bundled.dispose() };
	},
	gradeWorkers: () => {
		graders ??= webGradeWorkers(read);
		return graders;
	},
	breathe: () =>
		new Promise((resolve) => {
			breathing.push(resolve);
			channel.port2.postMessage(undefined);
		}),
	now: () => performance.now(),
});
