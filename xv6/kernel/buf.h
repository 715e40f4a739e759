// A disk block in memory. See bio.c.
struct buf {
  int valid;           // does data hold the block's content?
  int disk;            // does the disk own data at the moment?
  uint dev;
  uint blockno;
  struct sleeplock lock;
  uint refcnt;         // users now, waiting ones included
  uint64 lastuse;      // when it was last let go (bcache.clock)
  uchar data[BSIZE];
};
