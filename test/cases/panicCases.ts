import { getpid, growth, ifProg, inSysproc, type KernelCase, main, uptime } from "./kernelCase.ts";

export const panicCases: readonly KernelCase[] = [
	// ---- panics about locks
	{
		name: "uptime keeps the tick lock",
		edits: [["kernel/sysproc.c", "  uint now = ticks;\n  release(&tickslock);", "  uint now = ticks;"]],
		program: main("uptime();"),
		end: "panic",
		kind: "lock-panic",
		cause: /sys_uptime took tickslock \("time"\) at kernel\/sysproc\.c:\d+ and never released it/,
	},
	{
		name: "a lock is taken twice on one path",
		edits: [["kernel/sysproc.c", "  uint now = ticks;\n", "  acquire(&tickslock);\n  uint now = ticks;\n"]],
		program: main("uptime();"),
		end: "panic",
		kind: "lock-panic",
		cause:
			/sys_uptime \(kernel\/sysproc\.c:\d+\) takes tickslock \("time"\) while hart \d holds it already, taken at kernel\/sysproc\.c:\d+ \(sys_uptime\)/,
	},
	{
		name: "a lock is released twice",
		edits: [["kernel/sysproc.c", "  uint now = ticks;\n", "  uint now = ticks;\n  release(&tickslock);\n"]],
		program: main("uptime();"),
		end: "panic",
		kind: "lock-panic",
		cause:
			/sys_uptime \(kernel\/sysproc\.c:\d+\) releases tickslock \("time"\), which its hart does not hold: nobody holds it/,
	},
	{
		name: "initlock of the clock's lock is forgotten",
		edits: [["kernel/trap.c", '  initlock(&tickslock, "time");\n', ""]],
		command: "echo hi",
		end: "panic",
		kind: "lock-panic",
		cause: /clockintr \(kernel\/trap\.c:\d+\) takes the lock tickslock, which initlock\(\) was never called for/,
	},
	{
		name: "initlock of the disk's lock is forgotten",
		edits: [["kernel/virtio_disk.c", '  initlock(&disk.lock, "virtio_disk");\n', ""]],
		command: "echo hi",
		end: "panic",
		kind: "lock-panic",
		cause: /\w+ \(kernel\/virtio_disk\.c:\d+\) takes the lock disk\.lock, which initlock\(\) was never called for/,
	},
	{
		name: "interrupts are turned on under a lock",
		edits: [inSysproc(uptime, `  uint now = ticks;\n  intr_on();\n  release(&tickslock);\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "lock-panic",
		cause: /sys_uptime \(kernel\/sysproc\.c:\d+\) releases a lock while interrupts are on/,
	},
	{
		name: "pop_off without push_off",
		edits: [inSysproc(uptime, `${uptime}  pop_off();\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "lock-panic",
		cause: /sys_uptime \(kernel\/sysproc\.c:\d+\) undoes a push_off\(\) that was never done/,
	},
	{
		name: "a second lock is held in sleep",
		edits: [
			inSysproc(
				"uint64\nsys_sleep(void)\n{\n",
				'static struct spinlock mine = { .name = "mine" };\nuint64\nsys_sleep(void)\n{\n',
			),
			inSysproc("  uint start = ticks;\n", "  uint start = ticks;\n  acquire(&mine);\n"),
		],
		program: main("sleep(1);"),
		end: "panic",
		kind: "lock-panic",
		cause:
			/sys_sleep took mine at kernel\/sysproc\.c:\d+ and never released it; now sleep \(kernel\/proc\.c:\d+\) gives up the hart/,
	},
	{
		name: "the lock that is still held is not the one that was released",
		edits: [
			inSysproc(
				"// Ticks since boot.\n",
				"__attribute__((noinline)) static void\nkeep(void)\n{\n  acquire(&tickslock);\n}\n\n",
			),
			inSysproc(uptime, `${uptime}  keep();\n  yield();\n`),
		],
		program: main("uptime();"),
		end: "panic",
		kind: "lock-panic",
		cause: /yield \(kernel\/proc\.c:\d+\) gives up the hart while it still holds tickslock \("time"\)\.$/,
	},
	// ---- plain panics
	{
		name: "a panic of the student's own",
		edits: [inSysproc(uptime, `${uptime}  if(now)\n    panic("no such time");\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "panic",
		cause: /The kernel panicked in sys_uptime \(kernel\/sysproc\.c:\d+\).*: no such time/,
	},
	{
		name: "init ends",
		edits: [["user/init.c", "int\nmain(", "int\nmain(void)\n{\n  exit(3);\n}\n\nint\nmain2("]],
		command: "echo hi",
		end: "panic",
		kind: "panic",
		cause: /The kernel panicked in exit \(kernel\/proc\.c:\d+\), called by sys_exit .*: init exiting/,
	},
	// ---- panics over page tables
	{
		name: "a program's pages are mapped without PTE_U",
		edits: [["kernel/vm.c", "addpage(pagetable, a, PTE_R | PTE_U | xperm)", "addpage(pagetable, a, PTE_R | xperm)"]],
		end: "panic",
		kind: "page-table-panic",
		cause:
			/loadseg \(kernel\/exec\.c:\d+\) finds page 0x0 of the new program mapped r-x-, without PTE_U, so walkaddr\(\) refuses it: uvmalloc has to map pages with PTE_U/,
	},
	{
		name: "exec fails, and frees what it built by the wrong size",
		edits: [["kernel/exec.c", "proc_freepagetable(im.pagetable, im.sz);", "proc_freepagetable(im.pagetable, 0);"]],
		program: main(
			'static char big[3000]; char *argv[12]; memset(big, 120, 2999); for(int i = 0; i < 11; i++) argv[i] = big; argv[11] = 0; exec("echo", argv);',
		),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/exec of process 3 \(prog\) failed, and freewalk frees the page table that was built for the new program, with page 0x0 still mapped in it: .*size that exec passes/,
	},
	{
		name: "the last page of a segment is not allocated",
		edits: [
			[
				"kernel/vm.c",
				"  for(uint64 a = PGROUNDUP(oldsz); a < newsz; a += PGSIZE){",
				"  for(uint64 a = PGROUNDUP(oldsz); a + PGSIZE < newsz; a += PGSIZE){",
			],
		],
		end: "panic",
		kind: "page-table-panic",
		cause:
			/loadseg \(kernel\/exec\.c:\d+\) has to fill a page of the new program, of which no page is mapped: uvmalloc/,
	},
	{
		name: "a page above the break is left in the table",
		edits: [
			[
				"kernel/sysproc.c",
				"  argint(0, &n);\n  if(growproc(n) < 0)\n    return -1;\n",
				"  argint(0, &n);\n  if(n < 0){\n    myproc()->sz += n;\n    return old;\n  }\n  if(growproc(n) < 0)\n    return -1;\n",
			],
		],
		program: main("sbrk(8192); sbrk(-8192);"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/freewalk frees the page table of process 3 \(prog\), and page 0x4000 .* is still mapped in it: .*only below p->sz/,
	},
	{
		name: "a page below the break is left in the table",
		edits: [
			[
				"kernel/vm.c",
				'    if((*pte & PTE_V) == 0)\n      panic("uvmunmap: not mapped");',
				"    if((*pte & PTE_V) == 0)\n      break;",
			],
			[
				"kernel/sysproc.c",
				"  if(growproc(n) < 0)\n    return -1;\n",
				"  if(n == 4096)\n    myproc()->sz += n;\n  else if(growproc(n) < 0)\n    return -1;\n",
			],
		],
		program: main("sbrk(4096); sbrk(8192);"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/freewalk frees the page table of process 3 \(prog\), and page 0x5000 \(heap\) is still mapped in it: it is below p->sz .*skipped the page or ended early/,
	},
	{
		name: "fork meets a page that nobody allocated",
		edits: [["kernel/sysproc.c", "  if(growproc(n) < 0)\n    return -1;\n", "  myproc()->sz += n;\n"]],
		program: main("sbrk(8192); fork();"),
		end: "panic",
		kind: "page-table-panic",
		cause: /uvmcopy met page 0x4000 \(heap\) of process 3 \(prog\), which is below p->sz but was never allocated/,
	},
	{
		name: "a page is mapped a second time",
		edits: [
			[
				"kernel/sysproc.c",
				"  if(growproc(n) < 0)\n    return -1;\n",
				"  if(growproc(n) < 0)\n    return -1;\n  mappages(myproc()->pagetable, old, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U);\n",
			],
		],
		program: main("sbrk(4096);"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/sys_sbrk \(kernel\/sysproc\.c:\d+\) maps (page 0x4000 \(heap\) of process 3 \(prog\) a second time|a page of process 3 \(prog\) that is mapped already)/,
	},
	{
		name: "a page far above the break is never unmapped",
		edits: [
			inSysproc(
				getpid,
				`${getpid}${ifProg("    mappages(myproc()->pagetable, 0x40000000, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U);\n")}`,
			),
		],
		program: main("getpid();"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/freewalk frees the page table of process 3 \(prog\), and page 0x40000000 .* is still mapped in it: nothing unmapped it/,
	},
	{
		name: "an address within a page is unmapped",
		edits: [["kernel/vm.c", "  uint64 from = PGROUNDUP(newsz);\n", "  uint64 from = newsz;\n"]],
		program: main("sbrk(10000); sbrk(-9000);"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/uvmunmap was given .* of process 3 \(prog\) that is no multiple of the page size \(called by uvmdealloc .*PGROUNDDOWN/,
	},
	{
		name: "a page is unmapped twice",
		edits: [
			inSysproc(growth, `${growth}  if(n < 0)\n    uvmunmap(myproc()->pagetable, PGROUNDUP(myproc()->sz), 1, 0);\n`),
		],
		program: main("sbrk(4096); sbrk(-4096);"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/uvmunmap (was to unmap page 0x4000 .* of process 3 \(prog\), which is not mapped|met a page of process 3 \(prog\) that is not mapped) ?\(?.*unmap none twice/,
	},
	{
		name: "a hole is made below the break, and fork copies",
		edits: [
			inSysproc(
				getpid,
				`${getpid}${ifProg("    uvmunmap(myproc()->pagetable, PGROUNDUP(myproc()->sz) - 2*PGSIZE, 1, 1);\n")}`,
			),
		],
		program: main("sbrk(3 * 4096); getpid(); fork();"),
		end: "panic",
		kind: "page-table-panic",
		cause: /uvmcopy met page 0x5000 \(heap\) of process 3 \(prog\), which is below p->sz but was never allocated/,
	},
	{
		name: "the trapframe is mapped twice",
		edits: [
			[
				"kernel/proc.c",
				"  if(n < 2){\n",
				"  mappages(new, TRAPFRAME, PGSIZE, (uint64)p->trapframe, PTE_R);\n  if(n < 2){\n",
			],
		],
		command: "echo hi",
		end: "panic",
		kind: "page-table-panic",
		cause: /proc_pagetable \(kernel\/proc\.c:\d+\) maps a page .*mapped already/,
	},
	{
		name: "an address of the user is walked unchecked",
		edits: [["kernel/vm.c", "  if(va >= MAXVA)\n    return 0;\n\n", ""]],
		program: main("write(1, (char*)(1L << 38), 1);"),
		end: "panic",
		kind: "page-table-panic",
		cause: /looks up an address.* of process 3 \(prog\), which is not below MAXVA: check an address of the user/,
	},
	{
		name: "a page is mapped beyond MAXVA",
		edits: [
			inSysproc(
				getpid,
				`${getpid}${ifProg("    mappages(myproc()->pagetable, MAXVA + PGSIZE, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U);\n")}`,
			),
		],
		program: main("getpid();"),
		end: "panic",
		kind: "page-table-panic",
		cause: /looks up an address.* of process 3 \(prog\), which is not below MAXVA/,
	},
	{
		name: "kfree of the middle of a page",
		edits: [inSysproc(uptime, `${uptime}  kfree((char*)kalloc() + 8);\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/sys_uptime \(kernel\/sysproc\.c:\d+\) frees (0x[0-9a-f]+008, which is no multiple of the page size|an address that is no page of kalloc's)/,
	},
	{
		name: "kfree of the kernel's own memory",
		edits: [inSysproc(uptime, `${uptime}  kfree((void*)PGROUNDDOWN((uint64)&ticks));\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/sys_uptime \(kernel\/sysproc\.c:\d+\) frees (0x[0-9a-f]+, which belongs to the kernel itself|an address that is no page of kalloc's)/,
	},
];
