import { afterAll, expect, test } from "vitest";
import { breathe, createMachine } from "../../src/cli/machine.ts";
import { utf8 } from "../../src/common/bytes.ts";
import { Shell } from "../../src/session/shell.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";

afterAll(closeToolchains);

const enough = 5_000_000_000;

/** The path, the array and the arguments: all that exec() reads lies in the shared page. Then an array where nothing is, or the kernel. */
const program = `
#include "kernel/types.h"
#include "user/user.h"

int
main(void)
{
  char *page = (char*)mmap();
  char **argv = (char**)page;
  static uint64 bad[] = { 0x4001000, 0x3fffffe000, 0x3ffffff000, 0x4000000000, -8, -4 };

  strcpy(page + 64, "echo");
  strcpy(page + 128, "from the page");
  for(int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    printf("%d ", exec(page + 64, (char**)bad[i]));
  argv[0] = page + 64;
  argv[1] = page + 128;
  argv[2] = 0;
  exec(page + 64, argv);
  printf("refused\\n");
  exit(1);
}
`;

test.each(["1", "2"])("CS326, solution %s: exec takes an argv that lies in the shared page", async (solution) => {
	const files = new Map(await catalog.workspace("cs326-shared-page", solution));
	files.set("user/mmaptest.c", utf8(program));
	const { machine } = await createMachine(await build(files), { harts: 1, translator: true });
	const shell = Shell.on(machine, { breathe });
	try {
		expect((await shell.waitForPrompt(enough)).kind).toBe("prompt");
		const { end, output } = await shell.run("mmaptest", enough);
		expect(end.kind).toBe("prompt");
		expect(output).toBe(`${"-1 ".repeat(6)}from the page\n`);
	} finally {
		shell.dispose();
		machine.dispose();
	}
});
