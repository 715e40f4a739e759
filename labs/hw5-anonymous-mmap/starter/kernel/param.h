// The sizes of the kernel's fixed tables. Most of what can run out does so at
// a number in this file, or at the end of memory; the sizes of pipes and of
// the console's line stand in pipe.c and console.c.

#define NPROC        64                  // processes
#define NCPU          8                  // harts
#define NOFILE       16                  // open files of one process
#define NFILE       100                  // open files of all processes
#define NINODE (NFILE + 2*NPROC + 10)    // inodes in use at once, see below
#define NDEV         10                  // device major numbers
#define ROOTDEV       1                  // disk with the root directory
#define MAXARG       32                  // arguments of exec
#define MAXPATH     128                  // bytes of a path, with its 0
#define MAXOPBLOCKS  10                  // blocks that one file system call may write
#define LOGSIZE      (MAXOPBLOCKS*3)     // data blocks in the on-disk log
#define NBUF         (MAXOPBLOCKS*4)     // blocks in the buffer cache, see below
#define FSSIZE     2000                  // blocks in the file system image
#define USERSTACK     1                  // pages of a user stack

// NINODE is enough for ever: each open file refers to one inode; each process
// to one as its current directory, and to one more while it closes a file
// whose entry is free already; and of the file system calls, of which the log
// lets in three at a time, each to three more at the most (link: the file, and
// two directories of the new name).
//
// NBUF is enough for the log, which can keep LOGSIZE blocks in the cache, and
// beside them for what one process must hold at a time: two blocks, if it
// writes (a bitmap or an indirect block, and another), and again three such
// processes at a time. Those who only read hold one, so they can wait.
#define MAX_MMR      10                  // mapped regions of one process (HW5)
