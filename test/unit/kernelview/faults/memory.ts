import type { FaultCase } from "./faultCase.ts";

/** Page tables and frames. */
export const memoryFaults: readonly FaultCase[] = [
	{
		name: "a page is mapped a second time",
		key: "remap",
		fault: `mappages(myproc()->pagetable, 0, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U); // again`,
		end: "panic",
		says: `cause: fault_remap («mappages(myproc()->pagetable, 0, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U); // again») maps page 0x0 (text of prog) of process 3 (prog) a second time: it is mapped r-xu to frame F already.
  look at: kernel/vm.c (mappages)
  the kernel said: panic: mappages: remap
  where: hart H, process 3 (prog), system call uptime
  evidence: the leaf of 0x0 is valid
  calls, innermost first:
    mappages (kernel/vm.c)
    fault_remap («mappages(myproc()->pagetable, 0, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U); // again»)
    the system call`,
	},
	{
		name: "a page far above the break is never unmapped",
		key: "far",
		fault: `mappages(myproc()->pagetable, 0x40000000, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U);`,
		end: "panic",
		says: `cause: freewalk frees the page table of process 3 (prog), and page 0x… (above p->sz, where no memory of the process is) is still mapped in it: nothing unmapped it, since uvmfree looks only below p->sz (0x…).
  look at: kernel/vm.c (freewalk)
  the kernel said: panic: freewalk: leaf
  where: hart H, process 2 (sh), system call wait
  evidence: page 0x… is mapped r--u to frame F
  evidence: p->sz is 0x…
  calls, innermost first:
    freewalk (kernel/vm.c)
    freewalk (kernel/vm.c)
    freewalk (kernel/vm.c)
    uvmfree (kernel/vm.c)
    proc_freepagetable (kernel/proc.c)
    freeproc (kernel/proc.c)
    reap (kernel/proc.c)
    wait (kernel/proc.c)
    sys_wait (kernel/sysproc.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)`,
	},
	{
		name: "a page is mapped beyond MAXVA",
		key: "beyond",
		fault: `mappages(myproc()->pagetable, MAXVA + PGSIZE, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U); // beyond`,
		end: "panic",
		says: `cause: mappages (kernel/vm.c) looks up an address of process 3 (prog), which is not below MAXVA: check an address of the user before it is walked.
  look at: kernel/vm.c (walk)
  the kernel said: panic: walk
  where: hart H, process 3 (prog), system call uptime
  calls, innermost first:
    walk (kernel/vm.c)
    mappages (kernel/vm.c)
    fault_beyond («mappages(myproc()->pagetable, MAXVA + PGSIZE, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U); // beyond»)
    the system call
  note: The address itself is not in the debug information at this place`,
	},
	{
		name: "an address within a page is unmapped",
		key: "odd",
		fault: `uvmunmap(myproc()->pagetable, 100, 1, 0); // odd`,
		end: "panic",
		says: `cause: uvmunmap was given an address of process 3 (prog) that is no multiple of the page size (called by fault_odd («uvmunmap(myproc()->pagetable, 100, 1, 0); // odd»)): round it down with PGROUNDDOWN.
  look at: kernel/vm.c (uvmunmap)
  the kernel said: panic: uvmunmap: not aligned
  where: hart H, process 3 (prog), system call uptime
  calls, innermost first:
    uvmunmap (kernel/vm.c)
    fault_odd («uvmunmap(myproc()->pagetable, 100, 1, 0); // odd»)
    the system call`,
	},
	{
		name: "a page is unmapped that is not mapped",
		key: "unmaps",
		fault: `uvmunmap(myproc()->pagetable, PGROUNDUP(myproc()->sz), 1, 0); // not mapped`,
		end: "panic",
		says: `cause: uvmunmap met a page of process 3 (prog) that is not mapped (called by fault_unmaps («uvmunmap(myproc()->pagetable, PGROUNDUP(myproc()->sz), 1, 0); // not mapped»)): skip pages that are not there, and unmap none twice.
  look at: kernel/vm.c (uvmunmap)
  the kernel said: panic: uvmunmap: not mapped
  where: hart H, process 3 (prog), system call uptime
  evidence: p->sz is 0x…
  calls, innermost first:
    uvmunmap (kernel/vm.c)
    fault_unmaps («uvmunmap(myproc()->pagetable, PGROUNDUP(myproc()->sz), 1, 0); // not mapped»)
    the system call
  note: Which page it is was not recognised: the loop's variable is not in the debug information at this place`,
	},
	{
		name: "a hole is made below the break, and fork copies",
		key: "hole",
		fault: `uvmunmap(myproc()->pagetable, PGROUNDUP(myproc()->sz) - 2*PGSIZE, 1, 1); // a hole`,
		program: `sbrk(3 * 4096);
  fault_hole();
  fork();`,
		end: "panic",
		says: `cause: uvmcopy met page 0x… (heap) of process 3 (prog), which is below p->sz but was never allocated: where pages come lazily, skip those that are not there.
  look at: kernel/vm.c (uvmcopy)
  the kernel said: panic: uvmcopy: page not present
  where: hart H, process 3 (prog), system call fork
  evidence: page 0x… has no valid leaf, and p->sz is 0x…
  calls, innermost first:
    uvmcopy (kernel/vm.c)
    fork (kernel/proc.c)
    sys_fork (kernel/sysproc.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)`,
	},
	{
		name: "the break is lowered, and its page stays",
		key: "shrinks",
		fault: `myproc()->sz -= PGSIZE; // only`,
		end: "panic",
		says: `cause: freewalk frees the page table of process 3 (prog), and page 0x… (above p->sz, where no memory of the process is) is still mapped in it: nothing unmapped it, since uvmfree looks only below p->sz (0x…).
  look at: kernel/vm.c (freewalk)
  the kernel said: panic: freewalk: leaf
  where: hart H, process 2 (sh), system call wait
  evidence: page 0x… is mapped rw-u to frame F
  evidence: p->sz is 0x…
  calls, innermost first:
    freewalk (kernel/vm.c)
    freewalk (kernel/vm.c)
    freewalk (kernel/vm.c)
    uvmfree (kernel/vm.c)
    proc_freepagetable (kernel/proc.c)
    freeproc (kernel/proc.c)
    reap (kernel/proc.c)
    wait (kernel/proc.c)
    sys_wait (kernel/sysproc.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)`,
	},
	{
		name: "kfree of the middle of a page",
		key: "middle",
		fault: `kfree((char *)kalloc() + 8); // the middle`,
		end: "panic",
		says: `cause: fault_middle («kfree((char *)kalloc() + 8); // the middle») frees an address that is no page of kalloc's.
  look at: kernel/kalloc.c (kfree)
  the kernel said: panic: kfree
  where: hart H, process 3 (prog), system call uptime
  calls, innermost first:
    kfree (kernel/kalloc.c)
    fault_middle («kfree((char *)kalloc() + 8); // the middle»)
    the system call
  note: The address itself is not in the debug information at this place`,
	},
	{
		name: "kfree of the kernel's own memory",
		key: "image",
		fault: `kfree((void *)PGROUNDDOWN((uint64)&ticks)); // the kernel's`,
		end: "panic",
		says: `cause: fault_image («kfree((void *)PGROUNDDOWN((uint64)&ticks)); // the kernel's») frees an address that is no page of kalloc's.
  look at: kernel/kalloc.c (kfree)
  the kernel said: panic: kfree
  where: hart H, process 3 (prog), system call uptime
  calls, innermost first:
    kfree (kernel/kalloc.c)
    fault_image («kfree((void *)PGROUNDDOWN((uint64)&ticks)); // the kernel's»)
    the system call
  note: The address itself is not in the debug information at this place`,
	},
	{
		name: "a system call loses a page",
		key: "loses",
		fault: `kalloc(); // lost`,
		program: `fault_loses();
  fault_loses();`,
		end: "prompt",
		says: `cause: 2 frames were lost: 2 pages that nobody wrote to.
  evidence: they are not on the free list, in no page table, and no pointer to them is left in the kernel (first: frame F)
  evidence: 1 process ended meanwhile`,
	},
	{
		name: "a page that is mapped is freed, and freed again at the exit",
		key: "doubles",
		fault: `kfree((void *)walkaddr(myproc()->pagetable, PGROUNDUP(myproc()->sz) - PGSIZE)); // mapped`,
		program: `sbrk(4096);
  fault_doubles();
  sleep(1);`,
		end: "prompt",
		says: `cause: Frame F was freed twice: the list of free frames has it twice, and kalloc will give it to two users.
  evidence: the free list holds frame F twice
  evidence: it was not when the command began`,
	},
	{
		name: "a page of another process is freed",
		key: "others",
		fault: `kfree((void *)walkaddr(initproc->pagetable, 0)); // init's`,
		end: "prompt",
		says: `cause: Frame F is on kalloc's free list and still in use: process 1 at 0x0. Another process that had it freed it: a frame that several map may be freed only by the last of them (count its users).`,
	},
	{
		name: "a page of the heap is unmapped and not freed",
		key: "unfreed",
		fault: `myproc()->sz -= PGSIZE;
  uvmunmap(myproc()->pagetable, myproc()->sz, 1, 0); // not freed`,
		program: `sbrk(4096);
  fault_unfreed();`,
		end: "prompt",
		says: `cause: One frame was lost: a page of zeros, one for each process that ended.
  evidence: it is not on the free list, in no page table, and no pointer to it is left in the kernel (first: frame F)
  evidence: 1 process ended meanwhile
  note: A page of zeros was a page table that was emptied, or a user page`,
	},
	{
		name: "page tables that nobody keeps",
		key: "table",
		fault: `mappages(uvmcreate(), 0, PGSIZE, 0x1000, PTE_R); // lost`,
		end: "prompt",
		says: `cause: 3 frames were lost: 3 page-table pages.
  evidence: they are not on the free list, in no page table, and no pointer to them is left in the kernel (first: frame F)
  evidence: a page-table page is allocated in zeropage (kernel/vm.c)
  evidence: a page-table page is allocated in zeropage (kernel/vm.c)
  evidence: 1 process ended meanwhile`,
	},
	{
		name: "a copy of the kernel stack that nobody keeps",
		key: "stackcopy",
		fault: `memmove(kalloc(), (void *)myproc()->kstack, PGSIZE); // copied`,
		end: "prompt",
		says: `cause: One frame was lost: a kernel stack, one for each process that ended.
  evidence: it is not on the free list, in no page table, and no pointer to it is left in the kernel (first: frame F)
  evidence: a kernel stack is allocated in proc_mapstacks (kernel/proc.c)
  evidence: a kernel stack is allocated in allocproc (kernel/proc.c)
  evidence: 1 process ended meanwhile`,
	},
];
