// A virtual workspace for tests: `counted://HOST/path` is the server's file of that path. Every request is counted; changes are told by
// this provider alone, as those of a repository in a browser are. "Counted: Report" writes the counts to .counts.json in the folder.
const vscode = require("vscode");

const counts = { stat: 0, readDirectory: 0, readFile: 0, writeFile: 0 };
const changes = new vscode.EventEmitter();
const real = (uri) => uri.with({ scheme: "vscode-remote" });
const { Changed, Created, Deleted } = vscode.FileChangeType;
const tell = (type, uri) => changes.fire([{ type, uri }]);
const { fs } = vscode.workspace;

const provider = {
	onDidChangeFile: changes.event,
	watch: () => new vscode.Disposable(() => undefined),
	stat: (uri) => {
		counts.stat++;
		return fs.stat(real(uri));
	},
	readDirectory: (uri) => {
		counts.readDirectory++;
		return fs.readDirectory(real(uri));
	},
	readFile: (uri) => {
		counts.readFile++;
		return fs.readFile(real(uri));
	},
	createDirectory: async (uri) => {
		await fs.createDirectory(real(uri));
		tell(Created, uri);
	},
	writeFile: async (uri, content) => {
		counts.writeFile++;
		await fs.writeFile(real(uri), content);
		tell(Changed, uri);
	},
	delete: async (uri, options) => {
		await fs.delete(real(uri), options);
		tell(Deleted, uri);
	},
	rename: async (from, to, options) => {
		await fs.rename(real(from), real(to), options);
		changes.fire([
			{ type: Deleted, uri: from },
			{ type: Created, uri: to },
		]);
	},
};

exports.activate = (context) => {
	context.subscriptions.push(
		vscode.workspace.registerFileSystemProvider("counted", provider),
		vscode.commands.registerCommand("virtualFs.report", async () => {
			const [{ uri }] = vscode.workspace.workspaceFolders;
			const report = new TextEncoder().encode(JSON.stringify(counts));
			await fs.writeFile(real(vscode.Uri.joinPath(uri, ".counts.json")), report);
		}),
	);
};
