import { afterAll, expect, test } from "vitest";
import { breathe, createMachine, observe } from "../../src/cli/machine.ts";
import { fromUtf8, utf8 } from "../../src/common/bytes.ts";
import { Shell } from "../../src/session/shell.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";

afterAll(closeToolchains);

const enough = 20_000_000_000;

/**
 * Children fault in a region of all, in regions of their own that come and go (so that numbers of families are freed and taken again all
 * the time), and in those that they share with children of their own; their parents kill them in the midst of it.
 */
const program = `
#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "user/user.h"

#define PAGE 4096
#define COMMON 96
#define OWN 5
#define CHILDREN 6

static uint seed;

static uint
any(uint n)
{
  seed = seed * 1664525u + 1013904223u;
  return (seed >> 8) % n;
}

static char*
region(int pages, int flags)
{
  char *p = mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
  if(p == (char*)-1){
    printf("no region\\n");
    exit(1);
  }
  return p;
}

// Has a child, and kills it wherever it is.
static void
family(char *common, char *shared, char *own)
{
  int pid = fork();
  if(pid == 0){
    for(int i = 0; i < OWN; i++){
      common[any(COMMON) * PAGE] = 1;
      shared[i * PAGE] = 1;
      own[i % 3 * PAGE] = 1;
    }
    if(any(3) == 0)
      munmap(shared, OWN * PAGE);
    while(any(4) == 0)
      ;
    exit(0);
  }
  if(any(2))
    for(int i = 0; i < 200; i++)
      shared[any(OWN) * PAGE + 8] = 1;
  kill(pid);
  wait(0);
}

static void
work(char *common)
{
  for(;;){
    char *own = region(3, MAP_PRIVATE);
    char *shared = region(OWN, MAP_SHARED);
    for(int i = 0; i < 8; i++)
      common[any(COMMON) * PAGE] = 1;
    shared[any(OWN) * PAGE] = 1;
    if(any(3) == 0)
      family(common, shared, own);
    munmap(own, 3 * PAGE);
    munmap(shared, OWN * PAGE);
  }
}

int
main(void)
{
  for(int round = 0; round < 12; round++){
    char *common = region(COMMON, MAP_SHARED);
    int pids[CHILDREN];
    for(int i = 0; i < CHILDREN; i++){
      pids[i] = fork();
      if(pids[i] == 0){
        seed = (round * CHILDREN + i) * 7919 + 1;
        work(common);
      }
    }
    sleep(1 + round % 3);
    for(int i = 0; i < CHILDREN; i++)
      kill(pids[i]);
    for(int i = 0; i < CHILDREN; i++)
      wait(0);
    munmap(common, COMMON * PAGE);
  }
  // Until init has waited for the grandchildren.
  sleep(10);
  exit(0);
}
`;

/** Other names in the kernel: what the view then does not know. */
function renamed(files: ReadonlyMap<string, Uint8Array>, names: Readonly<Record<string, string>>) {
	if (Object.keys(names).length === 0) return new Map(files);
	const words = new RegExp(`(?<!\\.h|["/\\w])\\b(${Object.keys(names).join("|")})\\b(?!\\.[chS]\\b)`, "g");
	const change = (text: string) => text.replace(words, (word) => names[word] as string);
	const isKernel = (path: string) => /^kernel\/.*\.[chS]$/.test(path);
	return new Map([...files].map(([path, bytes]) => [path, isKernel(path) ? utf8(change(fromUtf8(bytes))) : bytes]));
}

test.each([
	{ of: "the reference", harts: 3, seeds: [0], names: {} },
	{ of: "the reference", harts: 8, seeds: [3, 4, 5], names: {} },
	{ of: "a kernel without `killed`", harts: 3, seeds: [0], names: { killed: "doomed" } },
	{ of: "a kernel without `syscalls`", harts: 3, seeds: [0], names: { syscalls: "handlers" } },
	{ of: "a kernel without `proc`", harts: 3, seeds: [0], names: { proc: "task", cpus: "cores" } },
])("who is killed in a fault that is served was not refused: $of, $harts harts", async ({ harts, seeds, names }) => {
	const reference = await catalog.workspace("hw5-anonymous-mmap", "3b");
	const files = renamed(reference, names);
	files.set("user/private.c", utf8(program));
	const output = await build(files);
	const manifest = await catalog.manifest("hw5-anonymous-mmap");
	let ended = 0;
	for (const seed of seeds) {
		const { machine } = await createMachine(output, { harts, seed, translator: true });
		const shell = Shell.on(machine, { breathe });
		try {
			expect((await shell.waitForPrompt(enough)).kind).toBe("prompt");
			const view = observe(machine, output, manifest);
			const free = view.freeFrames();
			expect((await shell.run("private", enough)).end.kind).toBe("prompt");
			expect(view.freeFrames(), `seed ${seed}`).toBe(free);
			// Without `proc` nobody knows who was killed: not checked.
			expect(view.killed(), `seed ${seed}`).toEqual("proc" in names ? undefined : []);
			expect(view.findings(), `seed ${seed}`).toEqual([]);
			ended += view.faults().filter(({ text }) => text.endsWith("killed by another process meanwhile")).length;
			view.dispose();
		} finally {
			shell.dispose();
			machine.dispose();
		}
	}
	expect(ended).toBeGreaterThan(0);
});
