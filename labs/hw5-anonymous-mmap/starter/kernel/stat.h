// What fstat() tells about a file, and the kinds of file there are.
// The kinds are also stored on disk (struct dinode), where 0 means "free".

#define T_DIR     1   // directory
#define T_FILE    2   // plain bytes
#define T_DEVICE  3   // reads and writes go to a driver

struct stat {
  int dev;      // disk that holds the file
  uint ino;     // its inode number there
  short type;   // T_DIR, T_FILE or T_DEVICE
  short nlink;  // directory entries that name it
  uint64 size;  // length in bytes
};

// mmap()'s arguments (HW5).

#ifndef NULL
#define NULL ((void*)0)
#endif

// prot: equal to PTE_R and PTE_W (riscv.h) on purpose, so that
// prot | PTE_U can be the permissions of a page-table entry.
#define PROT_READ      0x2
#define PROT_WRITE     0x4

// flags: MAP_ANONYMOUS, and one of the other two.
#define MAP_SHARED     0x01   // stays the same memory in parent and child
#define MAP_PRIVATE    0x02   // a child gets a copy, as of all other memory
#define MAP_ANONYMOUS  0x20   // not the content of a file
