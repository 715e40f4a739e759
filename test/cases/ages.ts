/**
 * Faults of the kinds that a diagnosis knows, made by patterns that fit trees of every age of xv6-riscv. A pattern that finds nothing in a tree means
 * that this kind cannot be made there in this way.
 */
export interface AgedCase {
	readonly name: string;
	/** All matches are replaced. */
	readonly edits: readonly (readonly [file: RegExp, from: RegExp, to: string])[];
	/** Body of the main of the program that is run; default: the kernel does not reach its shell. */
	readonly program?: string;
	/** Matched against the first line under the output, ignoring case. */
	readonly cause: RegExp;
}

const sysproc = /^kernel\/sysproc\.c$/;
const proc = /^kernel\/proc\.c$/;
/** The line of sys_uptime that reads the clock; `uint` where it declares the variable, too. */
const read = /^( *)((?:uint )?\w+ = ticks;\n)(?= *release\(&tickslock\);\n *return)/m;
const uptime = (code: string) => [[sysproc, read, `$1$2$1${code}\n`]] as const;
const getpid = /( *)(return (?:myproc\(\)|p)->pid;)/;

export const agedCases: readonly AgedCase[] = [
	{
		name: "panic of one's own",
		edits: uptime('panic("mytest");'),
		program: "uptime();",
		cause: /panic.*mytest|mytest.*panic/,
	},
	{
		name: "a lock is kept",
		edits: [[sysproc, /(= ticks;\n) *release\(&tickslock\);\n(?= *return)/, "$1"]],
		program: "uptime();",
		cause: /sys_uptime took tickslock \("time"\) at kernel\/sysproc\.c:\d+ and never released it/,
	},
	{
		name: "a lock is taken twice",
		edits: uptime("acquire(&tickslock);"),
		program: "uptime();",
		cause:
			/sys_uptime \(kernel\/sysproc\.c:\d+\) takes tickslock \("time"\) while hart \d holds it already, taken at kernel\/sysproc\.c/,
	},
	{
		name: "a lock is released twice",
		edits: uptime("release(&tickslock);"),
		program: "uptime();",
		cause:
			/sys_uptime \(kernel\/sysproc\.c:\d+\) releases tickslock \("time"\), which its hart does not hold|panicked in release .*called by sys_uptime/,
	},
	{
		name: "two locks in two orders",
		edits: [
			[
				sysproc,
				/(\nuint64\s+sys_uptime\(void\))/,
				'\nstruct spinlock other = { .name = "other" };\nvoid busy(void){ for(volatile int i = 0; i < 3000000; i++) ; }$1',
			],
			[sysproc, read, "$1$2$1busy(); acquire(&other); release(&other);\n"],
			[
				sysproc,
				/^uint64\s+sys_getpid\(void\)\s*\{/m,
				"extern struct spinlock other;\nvoid busy(void);\n$&\n  acquire(&other); busy(); acquire(&tickslock); release(&tickslock); release(&other);\n",
			],
		],
		program: "if(fork() == 0) for(;;) uptime(); for(;;) getpid();",
		cause: /^cause: Deadlock: hart \d .*holds (tickslock|other) .*waits for (tickslock|other)/,
	},
	{
		name: "a null pointer in the kernel",
		edits: uptime("((struct proc * volatile)0)->pid = 1;"),
		program: "uptime();",
		cause: /sys_uptime \(kernel\/sysproc\.c:\d+\) follows a null pointer: its store/,
	},
	{
		name: "an address of the user in the kernel",
		edits: [[sysproc, getpid, "$1*(volatile int*)(myproc()->sz - 8) = 1;\n$1$2"]],
		program: "getpid();",
		cause: /sys_getpid \(kernel\/sysproc\.c:\d+\) uses 0x[0-9a-f]+, an address of the user.*copyout/,
	},
	{
		name: "a kernel stack that overflows",
		edits: uptime("volatile char big[5000]; for(int i = 0; i < 5000; i++) big[i] = i; (void)big[7];"),
		program: "uptime();",
		cause: /kernel stack.*sys_uptime/,
	},
	{
		name: "junk of kalloc as a pointer",
		edits: uptime("struct proc **page = kalloc(); page[3]->pid = 1;"),
		program: "uptime();",
		cause: /kalloc/,
	},
	{
		name: "sbrk shrinks and leaves the pages",
		edits: [[proc, /uvmdealloc\(p->pagetable, sz, sz \+ n\)/, "(sz + n)"]],
		program: "sbrk(8192); sbrk(-8192);",
		cause: /freewalk frees the page table of process \d+ \(prog\), and page 0x[0-9a-f]+ .*is still mapped/,
	},
	{
		name: "a heap that nobody allocates",
		edits: [[sysproc, /if\(growproc\(n\) < 0\)(?! \{)/, "if(n > 0) myproc()->sz += n; else if(growproc(n) < 0)"]],
		program: "char *p = sbrk(8192); p[5000] = 1;",
		cause:
			/process \d+ \((prog|sh)\) was killed: its store of 0x[0-9a-f]+ in (main|morecore) .*below p->sz .*that nobody allocated/,
	},
	{
		name: "a program's stack overflows",
		edits: [],
		program: "volatile char big[6000]; for(int i = 5999; i >= 0; i--) big[i] = i; (void)big[7];",
		cause: /process \d+ \(prog\) used more than its stack of one page/,
	},
	{
		name: "a null pointer in a program",
		edits: [],
		program: "*(volatile int*)0x7ff0000 = 1;",
		cause: /process \d+ \(prog\) was killed: its store of 0x7ff0000 in main/,
	},
	{
		name: "a system call without an entry",
		edits: [[/^kernel\/syscall\.c$/, /^\[SYS_uptime\].*\n|^ *\[SYS_uptime\].*\n/m, ""]],
		program: "uptime();",
		cause: /system call \d+.*SYS_uptime/,
	},
	{
		name: "epc stays at the ecall",
		edits: [[/^kernel\/trap\.c$/, /\w+->\w+->epc \+= 4;/, ";"]],
		cause: /makes the same system call for ever.*add 4/,
	},
	{
		name: "the disk wakes nobody",
		edits: [[/^kernel\/virtio_disk\.c$/, /wakeup\((b|disk\.info\[id\]\.b)\);/, ";"]],
		cause: /lost wakeup: process \d+ .*sleeps on the disk buffer/,
	},
	{
		name: "exit does not wake the parent",
		edits: [[proc, /wakeup1?\((p->parent|original_parent)\);/, ";"]],
		program: "if(fork() == 0){ for(volatile int i = 0; i < 3000000; i++) ; exit(0); } wait(0);",
		cause: /sleeps in wait\(\), although its child process \d+ \(prog\) has ended/,
	},
	{
		name: "an interrupt is never completed",
		edits: [[/^kernel\/trap\.c$/, /plic_complete\(irq\);/, ";"]],
		cause: /interrupt \d+ of the .* claimed and never completed/,
	},
	{
		name: "no hart enables the devices",
		edits: [[/^kernel\/main\.c$/, /plicinithart\(\);/, ";"]],
		cause: /interrupt \d+ of the .* pending, and no hart can take (it|them)/,
	},
	{
		name: "the clock wakes nobody",
		edits: [[/^kernel\/trap\.c$/, /wakeup\(&ticks\);/, ";"]],
		program: "sleep(3);",
		cause: /lost wakeup: process \d+ \(prog\) sleeps on ticks/,
	},
	{
		name: "the clock stands",
		edits: [[/^kernel\/trap\.c$/, /ticks\+\+;/, ";"]],
		program: "sleep(3);",
		cause: /process \d+ \(prog\) sleeps on ticks.*not counted a single tick/,
	},
	{
		name: "a pipe's reader is not woken",
		edits: [[/^kernel\/pipe\.c$/, /wakeup\(&pi->nread\);/, ";"]],
		program:
			'int p[2]; char c; pipe(p); if(fork() == 0){ sleep(2); write(p[1], "x", 1); sleep(100); exit(0); } read(p[0], &c, 1); wait(0);',
		cause:
			/lost wakeup: process \d+ \(prog\) sleeps in piperead .*although the pipe has data|although nobody has the pipe open for writing/,
	},
	{
		name: "a lock that is taken again and again",
		edits: uptime("for(;;){ release(&tickslock); acquire(&tickslock); }"),
		program: "uptime();",
		cause: /process \d+ \(prog\) is still in system call uptime, at \w+ \(kernel\//,
	},
	{
		name: "an end that is never freed",
		edits: [[proc, /kfree\(\(void ?\*\)p->(trapframe|tf)\);/, ";"]],
		program: "if(fork() == 0) exit(0); wait(0);",
		cause: /frames? (was|were) lost.*trapframe/,
	},
	{
		name: "exec keeps the old pages",
		edits: [[/^kernel\/exec\.c$/, /proc_freepagetable\(oldpagetable, oldsz\);/, "(void)oldsz; (void)oldpagetable;"]],
		program: 'char *argv[] = { "echo", "hi", 0 }; if(fork() == 0){ exec("echo", argv); exit(1); } wait(0);',
		cause: /frames were lost.*(table pages?|user pages?|pages? of)/,
	},
];

const sleeplock = /^kernel\/sleeplock\.c$/;
const vm = /^kernel\/vm\.c$/;
const plic = /^kernel\/plic\.c$/;
const getpids = (code: string) => [[sysproc, getpid, `$1${code}\n$1$2`]] as const;
/** A kernel whose programs' text may not be written to, and whose heap may not be executed. */
const rights = [/^kernel\/exec\.c$/, /flags2perm\(int flags\)/, "$&"] as const;
const lazy = [
	sysproc,
	/if\(growproc\(n\) < 0\)(?! \{)/,
	"if(n > 0) myproc()->sz += n; else if(growproc(n) < 0)",
] as const;

/** The rest of the kinds. */
export const furtherCases: readonly AgedCase[] = [
	{
		name: "a page is mapped a second time",
		edits: uptime("mappages(myproc()->pagetable, 0, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U);"),
		program: "uptime();",
		cause:
			/sys_uptime \(kernel\/sysproc\.c:\d+\) maps (page 0x0 .*of process \d+ \(prog\) a second time|a page of process \d+ \(prog\) that is mapped already)/,
	},
	{
		name: "pages below sz are left in the table",
		edits: [[vm, /(uvmfree\(pagetable_t pagetable, uint64 sz\)\s*\{\s*if\(sz > )0\)/, "$164*PGSIZE)"]],
		program: "if(fork() == 0) exit(0); wait(0);",
		cause: /freewalk frees (the|a) page table .*still mapped/,
	},
	{
		name: "fork meets a page that nobody allocated",
		edits: [lazy],
		program: "sbrk(8192); fork();",
		cause:
			/uvmcopy met page 0x[0-9a-f]+ .*of process \d+ \((prog|sh)\), which is below p->sz but was never allocated|nobody allocated/,
	},
	{
		name: "a pointer out of memory that was freed",
		edits: uptime("struct proc **page = kalloc(); kfree(page); page[3]->pid = 1;"),
		program: "uptime();",
		cause: /sys_uptime .*follows a pointer read from kfree's fill/,
	},
	{
		name: "a null function",
		edits: uptime("void (* volatile nobody)(void) = 0; nobody();"),
		program: "uptime();",
		cause: /sys_uptime .*null/,
	},
	{
		name: "an address beyond MAXVA",
		edits: [[/^kernel\/defs\.h$/, /pte_t ?\*\s*walk\(/, "$&"], ...uptime("walk(myproc()->pagetable, 1L << 40, 0);")],
		program: "uptime();",
		cause: /sys_uptime .*(MAXVA|0x10000000000)/,
	},
	{
		name: "kfree of an address inside of a page",
		edits: uptime("kfree((char*)kalloc() + 8);"),
		program: "uptime();",
		cause: /sys_uptime \(kernel\/sysproc\.c:\d+\) frees an address that is no page of kalloc's/,
	},
	{
		name: "a program writes to its text",
		edits: [rights],
		program: "*(volatile char*)main = 1;",
		cause: /process \d+ \(prog\) was killed: its store of 0x[0-9a-f]+ in main/,
	},
	{
		name: "a program jumps into its heap",
		edits: [rights],
		program: "char *p = sbrk(4096); p[0] = 1; ((void (*)(void))p)();",
		cause: /process \d+ \(prog\) was killed: its fetch of 0x[0-9a-f]+ .*may not be executed/,
	},
	{
		name: "an illegal instruction",
		edits: [],
		program: 'asm volatile(".word 0");',
		cause: /process \d+ \(prog\) was killed for an illegal instruction in main/,
	},
	{
		name: "an address beyond sz",
		edits: [],
		program: "*(volatile char*)0x900000 = 1;",
		cause:
			/its store of 0x900000 in main \(user\/prog\.c:\d+\) is beyond p->sz \(0x[0-9a-f]+\), and nothing is mapped there/,
	},
	{
		name: "children that are to be killed",
		edits: [],
		program:
			"for(int i = 1; i < 4; i++){ int st = 0; if(fork() == 0){ *(volatile int*)(i * 0x900000L) = 1; exit(0); } wait(&st); if(st != -1) exit(1); }",
		cause: /^note: The kernel killed 3 processes, whose exit status their parents took with wait\(\)/,
	},
	{
		name: "a number beyond the table",
		edits: [],
		program: 'asm volatile("li a7, 77; ecall");',
		cause: /system call 77, which this kernel does not know: number 77 is no SYS_ constant/,
	},
	{
		name: "no priority in the PLIC",
		edits: [[plic, /\*\(uint32\*\)\(PLIC \+ VIRTIO0_IRQ\*4\) = 1;/, ";"]],
		cause:
			/interrupt 1 of the disk .*pending, and no hart can take .*its priority in the PLIC is 0, which means never \(plicinit\)\.$/,
	},
	{
		name: "no external interrupts in sie",
		edits: [[/^kernel\/start\.c$/, /SIE_SEIE \| /, ""]],
		cause: /interrupt 1 of the disk .*no hart has external interrupts on \(SEIE in sie\)/,
	},
	{
		name: "the threshold of the PLIC is too high",
		edits: [[plic, /(\*\(uint32\*\)PLIC_SPRIORITY\(hart\) = )0;/, "$17;"]],
		cause:
			/interrupt 1 of the disk .*pending, and no hart can take (it|them): its priority in the PLIC, 1, is not above the threshold, 7(, of hart 0)? \(plicinithart\)\.$/,
	},
	{
		name: "the PMP entry matches nothing",
		edits: [[/^kernel\/start\.c$/, /w_pmpcfg0\(0xf\)/, "w_pmpcfg0(0)"]],
		cause: /start\(\) \(kernel\/start\.c:\d+\) gives supervisor mode no PMP entry that matches memory/,
	},
	{
		name: "a pipe's writer is not woken",
		edits: [[/^kernel\/pipe\.c$/, /wakeup\(&pi->nwrite\);( *\/\/DOC.*)?\n( *)release/, ";\n$2release"]],
		program:
			"static char b[600]; int p[2]; pipe(p); if(fork() == 0){ close(p[0]); write(p[1], b, 600); exit(0); } close(p[1]); sleep(2); read(p[0], b, 600); wait(0);",
		cause:
			/lost wakeup: process \d+ \(prog\) sleeps in pipewrite .*although the pipe has room: piperead\(\) did not wake the writer/,
	},
	{
		name: "a pipe that is never closed",
		edits: [],
		program: "int p[2]; char c; pipe(p); read(p[0], &c, 1);",
		cause: /process \d+ \(prog\) sleeps in piperead .*still has it open for writing/,
	},
	{
		name: "a sleep-lock that wakes nobody",
		edits: [[sleeplock, /wakeup\(lk\);/, ";"]],
		program:
			'static char b[512]; int child = fork(); for(int i = 0; i < 300; i++){ int fd = open("README", 0); while(read(fd, b, 512) > 0) ; close(fd); } if(child) wait(0);',
		cause:
			/lost wakeup: process \d+ \(\w+\) waits for the sleep-lock .*, which is not locked: releasesleep\(\) did not wake it/,
	},
	{
		name: "orphans are not given to init",
		edits: [[proc, /pp->parent = initproc;/, ";"]],
		program: "if(fork() == 0){ if(fork() == 0){ sleep(3); exit(0); } exit(0); } wait(0); sleep(6);",
		cause: /process \d+ \(prog\) has ended, and nobody waits for it: .*give its children to init \(reparent\)/,
	},
	{
		name: "pipes are not freed",
		edits: [[/^kernel\/pipe\.c$/, /kfree\(\(char\*\)pi\);/, ";"]],
		program: "int p[2]; for(int i = 0; i < 3; i++){ pipe(p); close(p[0]); close(p[1]); }",
		cause: /frames were lost: \d pipes/,
	},
	{
		name: "page tables are not freed",
		edits: [[vm, /kfree\(\(void\*\)pagetable\);/, ";"]],
		program: "if(fork() == 0) exit(0); wait(0);",
		cause: /frames were lost: \d+ (page-table pages|pages of zeros)(\.|;)/,
	},
	{
		name: "a system call loses a page",
		edits: getpids("kalloc();"),
		program: "getpid(); getpid();",
		cause: /2 frames were lost: 2 pages that nobody wrote to/,
	},
	{
		name: "a page is freed twice",
		edits: getpids("void *page = kalloc(); kfree(page); kfree(page);"),
		program: "getpid();",
		cause: /freed twice/,
	},
	{
		name: "a page of a process is freed",
		edits: getpids("kfree((void*)walkaddr(myproc()->pagetable, PGROUNDUP(myproc()->sz) - PGSIZE));"),
		program: "sbrk(4096)[0] = 1; getpid(); sleep(1); for(;;) sleep(1000);",
		cause: /frame \d+ is on kalloc's free list|freed twice/,
	},
	{
		name: "a program that loops",
		edits: [],
		program: "for(volatile int i = 0; ; i++) ;",
		cause: /process \d+ \(prog\) still runs, at main \(user\/prog\.c:\d+\)/,
	},
	{
		name: "the kernel loops with interrupts off",
		edits: uptime("push_off(); for(volatile uint64 n = 0; ; n++) ;"),
		program: "uptime();",
		// It has the clock's lock.
		cause:
			/process \d+ \(prog\) is still in system call uptime, at sys_uptime \(kernel\/sysproc\.c:\d+\)|clockintr .*waits for ever for tickslock .*, taken at kernel\/sysproc\.c:\d+ \(sys_uptime\)/,
	},
	{
		name: "a kernel stack that begins at its low end",
		edits: [[/^kernel\/trap\.c$/, /kernel_sp = p->kstack \+ PGSIZE/, "kernel_sp = p->kstack"]],
		cause: /The kernel stack of process 1 (\(\w+\) )?begins at its low end, .*kernel_sp has to be p->kstack \+ PGSIZE/,
	},
	{
		name: "a kernel stack that begins above its high end",
		edits: [[proc, /context\.sp = p->kstack \+ PGSIZE/, "context.sp = p->kstack + 2*PGSIZE"]],
		cause: /The kernel stack of process 1 (\(\w+\) )?begins above it, .*context\.sp has to be p->kstack \+ PGSIZE/,
	},
	{
		name: "the PLIC is not mapped",
		edits: [[/^kernel\/vm\.c$/, /(kvmmap|mapdirect)\((kpgtbl, )?PLIC,[^;]*;/, ";"]],
		cause: /a register of the PLIC, which the kernel's page table does not map/,
	},
	{
		name: "the UART is not mapped",
		edits: [[/^kernel\/vm\.c$/, /(kvmmap|mapdirect)\((kpgtbl, )?UART0,[^;]*;/, ";"]],
		cause: /a register of the UART, which the kernel's page table does not map/,
	},
	{
		name: "a child without its parent's trap frame",
		edits: [[proc, /\*\(?np->(tf|trapframe)\)? = \*\(?p->(tf|trapframe)\)?;/, ";"]],
		cause: /its trap frame holds kalloc's fill/,
	},
];

const sysfile = /^kernel\/sysfile\.c$/;
const file = /^kernel\/file\.c$/;

/** Mistakes as people report them: of system calls that they add, and of calls that they forget. */
export const reportedCases: readonly AgedCase[] = [
	{
		name: "no begin_op in mkdir",
		edits: [[sysfile, /(sys_mkdir\(void\)[\s\S]*?)begin_op\(\);/, "$1;"]],
		program: 'mkdir("d");',
		cause: /panic/,
	},
	{
		name: "readi keeps its buffers",
		edits: [[/^kernel\/fs\.c$/, /(\nreadi\([\s\S]*?\n) {4}brelse\(bp\);\n/, "$1"]],
		program: "",
		cause: /./,
	},
	{
		name: "iunlock twice",
		edits: [[file, /(\nfileread\([\s\S]*?iunlock\(f->ip\);)/, "$1 if(n == 7) iunlock(f->ip);"]],
		program: 'int fd = open("README", 0); char b[7]; read(fd, b, 7);',
		cause: /iunlock/,
	},
	{
		name: "no ilock in read",
		edits: [[file, /(\nfileread\([\s\S]*?)ilock\(f->ip\);/, "$1if(n != 7) ilock(f->ip);"]],
		program: 'int fd = open("README", 0); char b[7]; read(fd, b, 7);',
		cause: /iunlock/,
	},
	{
		name: "yield with a lock",
		edits: uptime("acquire(&tickslock); yield(); release(&tickslock);"),
		program: "uptime();",
		cause: /tickslock/,
	},
	{
		name: "a child shares open files without filedup",
		edits: [[proc, /filedup\(p->ofile\[i\]\)/, "p->ofile[i]"]],
		program: 'int fd = open("README", 0); if(fork() == 0){ close(fd); exit(0); } wait(0); close(fd);',
		cause: /./,
	},
	{
		name: "interrupts stay on while stvec changes",
		edits: [[/^kernel\/trap\.c$/, /\n {2}intr_off\(\);/, "\n"]],
		program: "for(int i = 0; i < 20000; i++) getpid();",
		// It may go well.
		cause: /^$|A trap in the kernel went to uservec|The kernel went to 0x[0-9a-f]+, code of the user program/,
	},
	{
		name: "open keeps the lock of its inode",
		edits: [[sysfile, /iunlock\(ip\);(\s*end_op\(\);\s*return fd;)/, "$1"]],
		cause:
			/waits for the sleep-lock \S+\.lock \("inode"\).*, which (it holds itself|process 1 \(init\) holds while it sleeps in k?wait)/,
	},
	{
		name: "kill wakes nobody",
		edits: [[proc, /(\nk?kill\(int pid\)[\s\S]*?)p->state = RUNNABLE;/, "$1;"]],
		program:
			"int pid = fork(), p[2]; char c; if(pid == 0){ pipe(p); read(p[0], &c, 1); exit(0); } sleep(2); kill(pid); wait(0);",
		cause:
			/Process 4 \(prog\) was killed, and sleeps in piperead .*: kill\(\) has to make a process that sleeps RUNNABLE/,
	},
	{
		name: "the scheduler leaves interrupts off",
		edits: [[proc, /(\nscheduler\(void\)[\s\S]*?)intr_on\(\);/, "$1;"]],
		cause:
			/Interrupt 1 of the disk \(virtio\) .*(is|are) pending, and every hart keeps interrupts off .* scheduler\(\) has to/,
	},
	{
		name: "a directory is read for ever",
		edits: [[/^kernel\/fs\.c$/, /(\ndirlookup\([\s\S]*?off < dp->size;) off \+= sizeof\(de\)/, "$1"]],
		cause:
			/Process 1( \(\w+\))? is still in (the kernel|system call exec), at .*: it has not (returned|come to its program)/,
	},
	{
		name: "a new process keeps its lock",
		edits: [[proc, /(np->state = RUNNABLE;\n) *release\(&np->lock\);/, "$1"]],
		cause: /takes proc\[\d+\]\.lock \("proc"\) while hart \d holds it already/,
	},
	{
		name: "exec forgets the size",
		edits: [[/^kernel\/exec\.c$/, / {2}p->sz = sz;\n/, ""]],
		// Until a command runs, nothing fails in every age.
		program: "",
		cause: /Process \d+ \((sh|init)\) was killed: .* is beyond p->sz/,
	},
	{
		name: "a program's pages are mapped without PTE_U",
		edits: [[/^kernel\/vm\.c$/, /(\nuvmalloc\([\s\S]*?) ?\| ?PTE_U/, "$1"]],
		cause: /loadseg \(kernel\/exec\.c:\d+\) finds page 0x0 of the new program mapped r[w-]x-, without PTE_U/,
	},
	{
		name: "a segment's last page is not allocated",
		edits: [[/^kernel\/vm\.c$/, /(\nuvmalloc\([\s\S]*?;) ?a < newsz;/, "$1 a + PGSIZE < newsz;"]],
		cause:
			/loadseg \(kernel\/exec\.c:\d+\) has to fill (a page of the new program, of which no page is|page 0x0 of the new program, which is not) mapped/,
	},
	{
		name: "what a failed exec built is freed by the wrong size",
		edits: [[/^kernel\/exec\.c$/, /(proc_freepagetable\((?:im\.)?pagetable, )(?:im\.)?sz/, "$1 0"]],
		program:
			'static char big[3000]; char *argv[12]; memset(big, 120, 2999); for(int i = 0; i < 11; i++) argv[i] = big; argv[11] = 0; exec("echo", argv);',
		cause: /exec of process \d+ \(prog\) failed, and freewalk frees the page table that was built for the new program/,
	},
	{
		name: "a string of the user is read without copyinstr",
		edits: [[sysfile, /(sys_mkdir\(void\)\s*\{)/, "$1 if(strlen((char*)myproc()->TRAPFRAME->a0) == 1) return 0;"]],
		program: 'mkdir("d");',
		cause: /address of the user/,
	},
	{
		name: "the disk's request is never marked",
		edits: [[/^kernel\/virtio_disk\.c$/, /b->disk = 1;/, ";"]],
		cause: /./,
	},
	{
		name: "wait without the lock",
		edits: [[proc, /(\nwait\([\s\S]*?)acquire\(&(wait_lock|p->lock)\);/, "$1;"]],
		cause: /./,
	},
];
