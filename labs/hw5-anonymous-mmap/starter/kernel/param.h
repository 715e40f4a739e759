// The sizes of the kernel's fixed tables. Everything in this kernel that
// can run out does so at a number in this file (or at the end of memory).

#define NPROC        64                  // processes
#define NCPU          8                  // harts
#define NOFILE       16                  // open files of one process
#define NFILE       100                  // open files of all processes
#define NINODE       50                  // inodes in use at once
#define NDEV         10                  // device major numbers
#define ROOTDEV       1                  // disk with the root directory
#define MAXARG       32                  // arguments of exec
#define MAXPATH     128                  // bytes of a path, with its 0
#define MAXOPBLOCKS  10                  // blocks that one file system call may write
#define LOGSIZE      (MAXOPBLOCKS*3)     // data blocks in the on-disk log
#define NBUF         (MAXOPBLOCKS*3)     // blocks in the buffer cache
#define FSSIZE     2000                  // blocks in the file system image
#define USERSTACK     1                  // pages of a user stack
#define MAX_MMR      10                  // mapped regions of one process (HW5)
