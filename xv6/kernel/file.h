// An open file: what a file descriptor refers to. dup() and fork() make
// several descriptors share one of these, and so share its offset.
struct file {
  enum { FD_NONE, FD_PIPE, FD_INODE, FD_DEVICE } type;
  int ref;             // descriptors that refer to it (ftable.lock)
  char readable, writable;
  struct pipe *pipe;   // FD_PIPE
  struct inode *ip;    // FD_INODE and FD_DEVICE
  uint off;            // FD_INODE: next byte to read or write (ip->lock)
  short major;         // FD_DEVICE
};

// An inode in memory: a copy of the one on disk, and who is using it.
// See fs.c for the rules.
struct inode {
  uint dev;
  uint inum;
  int ref;                // pointers to this entry (itable.lock)
  struct sleeplock lock;  // guards all below
  int valid;              // have the fields below been read from disk?

  // As in struct dinode:
  short type, major, minor, nlink;
  uint size, addrs[NDIRECT+1];
};

// A driver's read and write functions. user_addr says whether the buffer's
// address is a user or a kernel one (see either_copyin). The result is the
// number of bytes moved, or -1.
struct devsw {
  int (*read)(int user_dst, uint64 dst, int n);
  int (*write)(int user_src, uint64 src, int n);
};

extern struct devsw devsw[];   // by major number

#define CONSOLE 1
