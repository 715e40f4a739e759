import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromUtf8, utf8 } from "../../../src/common/bytes.ts";
import { applyPatch } from "../../../src/lab/patch.ts";
import { catalog, repository } from "../../support/lab.ts";

/** A mistake in a kernel, and what the detectors have to say about one run of it. */
export interface Bug {
	readonly name: string;
	readonly lab: Lab;
	/** Arguments of racer. */
	readonly works: string;
	readonly kind: string;
	readonly variable: RegExp;
	/** Functions of the two places, in any order; a count that drifts has none, but the elements that changed. */
	readonly places: readonly [string, string] | RegExp;
	/** Path, text and replacement; or a mutant of the lab. */
	readonly edit: Edit | readonly Edit[] | string;
}

type Edit = readonly [path: string, from: string, to: string];

export type Lab = keyof typeof labs;
export const labs = {
	hw5: { id: "hw5-anonymous-mmap", step: "3b" },
	cs: { id: "cs326-shared-page", step: "1" },
} as const;

type Files = ReadonlyMap<string, Uint8Array>;

const folder = join(repository, "test/labs/explore");

/** A lab's solution with the workload on its disk. */
export async function kernelOf(lab: Lab): Promise<Files> {
	const files = new Map(await catalog.workspace(labs[lab].id, labs[lab].step));
	const own = readFileSync(join(folder, `racer-${lab}.c`), "utf8");
	files.set("user/racer.c", utf8(readFileSync(join(folder, "racer.c"), "utf8").replace(/^\/\/ FAMILY.*$/m, () => own)));
	const makefile = fromUtf8(files.get("Makefile") as Uint8Array);
	files.set("Makefile", utf8(makefile.replace(/(\t\$U\/_cat\\\n)/, "$1\t$$U/_racer\\\n")));
	return files;
}

export function planted(files: Files, { edit, lab }: Pick<Bug, "edit" | "lab">): Files {
	if (typeof edit === "string") {
		const patch = join(repository, "test/labs/mutants", labs[lab].id, edit, "mutant.patch");
		return applyPatch(files, readFileSync(patch, "utf8"));
	}
	const made = new Map(files);
	for (const [path, from, to] of typeof edit[0] === "string" ? [edit as Edit] : (edit as readonly Edit[])) {
		const text = fromUtf8(made.get(path) as Uint8Array);
		if (text.split(from).length !== 2) throw new Error(`${path}: ${text.split(from).length - 1} places`);
		made.set(path, utf8(text.replace(from, () => to)));
	}
	return made;
}

const proc = "kernel/proc.c";
const hw5 = { lab: "hw5" } as const;
const race = { ...hw5, kind: "race" } as const;

export const bugs: readonly Bug[] = [
	{
		...race,
		name: "allocpid without pid_lock",
		works: "pids",
		kind: "no-common-lock|race",
		variable: /^nextpid$/,
		places: ["allocpid", "allocpid"],
		edit: [proc, "  acquire(&pid_lock);\n  int pid = nextpid++;\n  release(&pid_lock);\n", "  int pid = nextpid++;\n"],
	},
	{
		...race,
		name: "kalloc releases between reading and moving the head",
		works: "mem",
		variable: /^kmem\.freelist$/,
		places: ["kalloc", "kalloc"],
		edit: [
			"kernel/kalloc.c",
			"    kmem.freelist = page->next;\n  release(&kmem.lock);\n\n  if(page == 0)",
			"    ;\n  release(&kmem.lock);\n  if(page)\n    kmem.freelist = page->next;\n\n  if(page == 0)",
		],
	},
	{
		...race,
		name: "kfree without the lock",
		works: "mem",
		variable: /^kmem\.freelist$/,
		places: ["kalloc", "kfree"],
		edit: [
			"kernel/kalloc.c",
			"  acquire(&kmem.lock);\n  page->next = kmem.freelist;\n  kmem.freelist = page;\n  release(&kmem.lock);\n",
			"  page->next = kmem.freelist;\n  kmem.freelist = page;\n",
		],
	},
	{
		...hw5,
		name: "sleep releases the condition's lock first",
		works: "pingpong",
		kind: "sleep-window",
		variable: /./,
		places: ["sleep", "sleep"],
		edit: [
			proc,
			"  acquire(&me->lock);\n  release(lk);\n  me->chan",
			"  release(lk);\n  acquire(&me->lock);\n  me->chan",
		],
	},
	{
		...hw5,
		name: "piperead drops the lock between check and sleep",
		works: "pingpong",
		kind: "sleep-blind",
		variable: /pipe/,
		places: ["piperead", "sleep"],
		edit: [
			"kernel/pipe.c",
			"    failed = killed(p);\n    if(!failed)\n      sleep(&pi->nread",
			"    release(&pi->lock);\n    failed = killed(p);\n    acquire(&pi->lock);\n    if(!failed)\n      sleep(&pi->nread",
		],
	},
	{
		...race,
		name: "a free entry is looked for before its lock is taken",
		works: "pids",
		variable: /^proc\[\d+\]\.state$/,
		places: ["takeentry", "takeentry"],
		edit: [
			proc,
			"    acquire(&p->lock);\n    if(p->state == UNUSED){\n      p->state = USED;",
			"    int unused = p->state == UNUSED;\n    acquire(&p->lock);\n    if(unused){\n      p->state = USED;",
		],
	},
	{
		...hw5,
		name: "fork takes wait_lock with the child's lock held",
		works: "exits",
		kind: "lock-order",
		variable: /proc|wait_lock/,
		places: ["fork", "reap"],
		edit: [
			proc,
			"  release(&np->lock);\n  acquire(&wait_lock);\n  np->parent = p;\n  acquire(&np->lock);\n  release(&wait_lock);\n",
			"  acquire(&wait_lock);\n  np->parent = p;\n  release(&wait_lock);\n",
		],
	},
	{
		...race,
		name: "fork makes the child runnable without its lock",
		works: "exits",
		variable: /^proc\[\d+\]\.state$/,
		places: ["fork", "scheduler"],
		edit: [
			proc,
			"  acquire(&np->lock);\n  release(&wait_lock);\n\n  np->state = RUNNABLE;\n  release(&np->lock);\n",
			"  release(&wait_lock);\n\n  np->state = RUNNABLE;\n",
		],
	},
	{
		...race,
		name: "killed looks without the lock",
		// Alone, each look is followed by a switch, whose lock orders it before the kill.
		works: "pingpong kills",
		variable: /^proc\[\d+\]\.killed$/,
		places: ["kill", "killed"],
		edit: [proc, "  acquire(&p->lock);\n  int k = p->killed;\n  release(&p->lock);\n", "  int k = p->killed;\n"],
	},
	{
		...race,
		name: "references to files are counted without the lock",
		works: "dups",
		variable: /^ftable\.file\[\d+\]\.ref$/,
		places: ["addref", "addref"],
		edit: [
			"kernel/file.c",
			'  acquire(&ftable.lock);\n  if(f->ref < 1)\n    panic("file without a reference");\n  f->ref += n;\n  if(copy)\n    *copy = *f;\n  if(f->ref == 0)\n    f->type = FD_NONE;\n  release(&ftable.lock);\n',
			"  f->ref += n;\n  if(copy)\n    *copy = *f;\n  if(f->ref == 0)\n    f->type = FD_NONE;\n",
		],
	},
	{
		...race,
		name: "idup counts without the lock",
		works: "exits cwds",
		variable: /^itable\.inode\[\d+\]\.ref$/,
		places: ["idup", "iput"],
		edit: [
			"kernel/fs.c",
			"  acquire(&itable.lock);\n  ip->ref++;\n  release(&itable.lock);\n  return ip;",
			"  ip->ref++;\n  return ip;",
		],
	},
	{
		...race,
		name: "references to buffers are counted without the lock",
		works: "cwds",
		variable: /^bcache\./,
		places: ["addref", "findbuf"],
		edit: [
			"kernel/bio.c",
			"  acquire(&bcache.lock);\n  b->refcnt += n;\n  b->lastuse = ++bcache.clock;\n  if(b->refcnt == 0 && bcache.waiting)\n    wakeup(&bcache);\n  release(&bcache.lock);\n",
			"  b->refcnt += n;\n  b->lastuse = ++bcache.clock;\n",
		],
	},
	{
		...race,
		name: "uptime reads the ticks without the lock",
		works: "ticks",
		kind: "race|no-common-lock",
		variable: /^ticks$/,
		places: ["clockintr", "sys_uptime"],
		edit: [
			"kernel/sysproc.c",
			"  acquire(&tickslock);\n  uint now = ticks;\n  release(&tickslock);\n",
			"  uint now = ticks;\n",
		],
	},
	{
		...race,
		name: "a file system call begins without the log's lock",
		works: "cwds",
		variable: /^log\.outstanding$/,
		places: ["begin_op", "end_op"],
		edit: [
			"kernel/log.c",
			"  log.outstanding++;\n  release(&log.lock);\n",
			"  release(&log.lock);\n  log.outstanding++;\n",
		],
	},
	{
		...race,
		name: "a sleep lock is given back without its spinlock",
		works: "cwds",
		kind: "race|no-common-lock",
		variable: /\.(pid|locked)$/,
		places: ["setholder", "setholder"],
		edit: [
			"kernel/sleeplock.c",
			"  acquire(&lk->lk);\n  setholder(lk, 0);\n",
			"  setholder(lk, 0);\n  acquire(&lk->lk);\n",
		],
	},
	{
		...race,
		name: "pipeclose without the pipe's lock",
		works: "pipes",
		variable: /pipe.*(readopen|writeopen)$/,
		places: ["pipeclose", "piperead"],
		edit: ["kernel/pipe.c", "  acquire(&pi->lock);\n  *mine = 0;\n", "  *mine = 0;\n  acquire(&pi->lock);\n"],
	},
	{
		...hw5,
		name: "uptime returns with the lock held",
		works: "ticks",
		kind: "held-in-user-mode",
		variable: /tickslock/,
		places: ["sys_uptime", "user code"],
		edit: ["kernel/sysproc.c", "  uint now = ticks;\n  release(&tickslock);\n", "  uint now = ticks;\n"],
	},
	{
		...hw5,
		name: "wait sleeps with another lock held",
		works: "exits",
		// clang inlines sleep() in wait(), where its rules are silent: the order of the locks says it.
		kind: "held-at-sleep|lock-order",
		variable: /pid_lock|proc/,
		places: ["allocpid", "sleep"],
		edit: [
			proc,
			"    sleep(p, &wait_lock);\n",
			"    acquire(&pid_lock);\n    sleep(p, &wait_lock);\n    release(&pid_lock);\n",
		],
	},
	{
		...hw5,
		name: "pipewrite turns interrupts on with the lock held",
		works: "pipes",
		kind: "interrupts-on",
		variable: /pipe/,
		places: ["pipewrite", "pipewrite"],
		edit: [
			"kernel/pipe.c",
			"  int done = 0, bad = 0;\n\n  acquire(&pi->lock);\n",
			"  int done = 0, bad = 0;\n\n  acquire(&pi->lock);\n  intr_on();\n",
		],
	},
	{
		...race,
		name: "a fault without the family's lock",
		works: "family",
		variable: /./,
		places: ["mappages", "uvmcopyshared"],
		edit: "fault-without-family-lock",
	},
	{
		...race,
		name: "fork without the family's lock",
		works: "family",
		variable: /^proc\[\d+\]\.mmr\[\d+\]\.mmr_family\.next$/,
		places: ["inherit", "mapfamily"],
		edit: "fork-without-family-lock",
	},
	{
		...race,
		name: "munmap without the family's lock",
		works: "family",
		variable: /^proc\[\d+\]\.mmr\[\d+\]\.mmr_family\.(next|prev)$/,
		places: ["inherit", "mmrfree"],
		edit: "munmap-without-family-lock",
	},
	{
		lab: "cs",
		kind: "race",
		name: "the shared page without its lock",
		works: "family",
		variable: /^shmem\./,
		places: ["shmementer", "shmemunmap"],
		edit: "no-lock",
	},
	{
		...hw5,
		name: "kill looks at the process under its lock once more",
		works: "kills",
		kind: "lock-again",
		variable: /proc/,
		places: ["kill", "killed"],
		edit: [proc, "    if(found){\n      p->killed = 1;", "    if(found && !killed(p)){\n      p->killed = 1;"],
	},
	{
		...hw5,
		name: "fork and wait wait for each other",
		works: "exits",
		kind: "deadlock",
		variable: /proc|wait_lock/,
		places: ["fork", "wakeup"],
		edit: [
			proc,
			"  release(&np->lock);\n  acquire(&wait_lock);\n  np->parent = p;\n  acquire(&np->lock);\n  release(&wait_lock);\n",
			"  acquire(&wait_lock);\n  np->parent = p;\n  release(&wait_lock);\n",
		],
	},
	{
		...hw5,
		name: "pipewrite gives the lock back twice",
		works: "pipes",
		kind: "released-by-another",
		variable: /pipe/,
		places: ["piperead", "pipewrite"],
		edit: [
			["kernel/spinlock.c", '  if(!holding(lk))\n    panic("release");\n', ""],
			[
				"kernel/spinlock.c",
				'  if(here->noff == 0 || intr_get())\n    panic("pop_off");\n',
				"  if(here->noff == 0)\n    return;\n",
			],
			[
				"kernel/pipe.c",
				"  wakeup(&pi->nread);\n  release(&pi->lock);\n  return done;",
				"  release(&pi->lock);\n  wakeup(&pi->nread);\n  release(&pi->lock);\n  return done;",
			],
		],
	},
	{
		...hw5,
		name: "page tables are switched without sfence.vma",
		works: "exits",
		kind: "stale-space",
		variable: /^0x/,
		places: ["_trampoline", "userret"],
		edit: [
			"kernel/trampoline.S",
			"        sfence.vma\n        csrw satp, \\satp_value\n        sfence.vma\n",
			"        csrw satp, \\satp_value\n",
		],
	},
	{
		...hw5,
		name: "memory is given back without sfence.vma",
		works: "mem",
		kind: "stale-mapping",
		variable: /^0x/,
		places: ["uvmunmap", "user code"],
		edit: [
			"kernel/trampoline.S",
			"        sfence.vma\n        csrw satp, \\satp_value\n        sfence.vma\n",
			"        csrw satp, \\satp_value\n",
		],
	},
	{
		...hw5,
		name: "exit keeps the reference to the current directory",
		works: "exits",
		kind: "count-drift",
		variable: /^itable\.inode\[\*\]\.ref$/,
		places: /itable\.inode\[\d+\]\.ref is \d+, was \d+/,
		edit: [proc, "  iput(p->cwd);\n", "  ;\n"],
	},
	{
		...hw5,
		name: "the trap frame of a dead process is not given back",
		works: "exits",
		kind: "count-drift",
		variable: /^free frames$/,
		places: /kalloc\(\) was not all given back/,
		edit: [proc, "    kfree(p->trapframe);\n", "    ;\n"],
	},
];
