// The shell. A command line is a list of pipelines:
//
//   line      ::= pipeline { (';' | '&') pipeline }
//   pipeline  ::= command { '|' command }
//   command   ::= part { part }
//   part      ::= word | ('<' | '>' | '>>') word | '(' line ')'
//
// where a command with a line in parentheses has one of them and no words.
// A pipeline behind which `&` stands runs in the background. There is no tree:
// a line is run while it is read, by the function for what is being read, and
// each command is a process of its own. Nothing is allocated.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "user/user.h"

#define MAXARGS 10
#define MAXLINE 100

enum token { END, WORD, SEMICOLON, AMPERSAND, BAR, LESS, GREATER, APPEND, OPEN, CLOSE };

// Where in the line we are. A word is terminated in place when its command
// runs, since the character behind it is still to be read before that.
struct input {
  char *at;
  enum token token;
  char *word;      // of a WORD: its first character ...
  char *wordend;   // ... and the one behind its last
};

static void
panic(const char *message)
{
  fprintf(2, "%s\n", message);
  exit(1);
}

static int
fork1(void)
{
  int pid = fork();

  if(pid < 0)
    panic("sh: fork failed");
  return pid;
}

static int
is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v';
}

static int
is_special(char c)
{
  return c != 0 && strchr("<>|&;()", c) != 0;
}

static void
next(struct input *in)
{
  while(is_blank(*in->at))
    in->at++;
  in->word = in->at;
  switch(*in->at){
  case 0:
    in->token = END;
    return;
  case ';': in->token = SEMICOLON; in->at++; break;
  case '&': in->token = AMPERSAND; in->at++; break;
  case '|': in->token = BAR; in->at++; break;
  case '<': in->token = LESS; in->at++; break;
  case '(': in->token = OPEN; in->at++; break;
  case ')': in->token = CLOSE; in->at++; break;
  case '>':
    in->token = GREATER;
    if(*++in->at == '>'){
      in->token = APPEND;
      in->at++;
    }
    break;
  default:
    in->token = WORD;
    while(*in->at && !is_blank(*in->at) && !is_special(*in->at))
      in->at++;
  }
  in->wordend = in->at;
}

static void
expect(struct input *in, enum token token, const char *message)
{
  if(in->token != token)
    panic(message);
}

static void run_line(struct input *in, enum token last);

// Passes over one pipeline without running it, up to what ends it.
static void
skip_pipeline(struct input *in, int through_bars)
{
  int depth = 0;

  for(; in->token != END; next(in)){
    if(depth == 0 && (in->token == SEMICOLON || in->token == AMPERSAND || in->token == CLOSE))
      return;
    if(depth == 0 && in->token == BAR && !through_bars)
      return;
    if(in->token == OPEN)
      depth++;
    if(in->token == CLOSE)
      depth--;
  }
}

static void
open_as(int fd, const char *name, int flags)
{
  close(fd);
  if(open(name, flags) != fd){
    fprintf(2, "open %s failed\n", name);
    exit(1);
  }
}

// Appending is writing at the end: reading through the file leads there.
static void
seek_to_end(const char *name)
{
  char skipped[64];

  open_as(1, name, O_RDWR | O_CREATE);
  while(read(1, skipped, sizeof(skipped)) > 0)
    ;
}

static void
redirect(struct input *in)
{
  enum token how = in->token;

  next(in);
  expect(in, WORD, "sh: missing file for redirection");
  char *name = in->word, *end = in->wordend;
  next(in);
  *end = 0;
  if(how == LESS)
    open_as(0, name, O_RDONLY);
  else if(how == GREATER)
    open_as(1, name, O_WRONLY | O_CREATE | O_TRUNC);
  else
    seek_to_end(name);
}

// Becomes one command: sets its files up and executes it. Does not return.
static void
runcmd(struct input *in)
{
  char *argv[MAXARGS + 1];
  char *ends[MAXARGS];
  int argc = 0, group = 0, redirected = 0;
  struct input inner;

  for(;;){
    if(in->token == WORD && !group){
      if(argc == MAXARGS)
        panic("sh: too many args");
      argv[argc] = in->word;
      ends[argc++] = in->wordend;
      next(in);
    } else if(in->token == LESS || in->token == GREATER || in->token == APPEND){
      redirect(in);
      redirected = 1;
    } else if(in->token == OPEN && argc == 0 && !group){
      // Redirections behind the closing parenthesis hold for the group.
      group = 1;
      next(in);
      inner = *in;
      while(in->token != CLOSE && in->token != END){
        skip_pipeline(in, 1);
        if(in->token == SEMICOLON || in->token == AMPERSAND)
          next(in);
      }
      expect(in, CLOSE, "sh: missing )");
      next(in);
    } else {
      break;
    }
  }
  if(in->token == WORD || in->token == OPEN)
    panic("sh: syntax error: parentheses beside words");
  if(group){
    run_line(&inner, CLOSE);
    exit(0);
  }
  if(argc == 0){
    if(!redirected)
      panic("sh: syntax error: a command is missing");
    exit(0);
  }
  argv[argc] = 0;
  for(int i = 0; i < argc; i++)
    *ends[i] = 0;
  exec(argv[0], argv);
  fprintf(2, "exec %s failed\n", argv[0]);
  exit(1);
}

// Runs a pipeline in this process' children, waits for all of them, and
// leaves `in` at what ends the pipeline.
static void
run_pipeline(struct input *in)
{
  int from = 0, children = 0;

  for(;;){
    struct input here = *in;
    int fds[2] = { -1, -1 };
    skip_pipeline(in, 0);
    int last = in->token != BAR;
    // Nothing to do after the last command of a line, nobody to come back for.
    if(children == 0 && in->token == END)
      runcmd(&here);
    if(!last && pipe(fds) < 0)
      panic("sh: pipe failed");
    if(fork1() == 0){
      if(from != 0){
        close(0);
        dup(from);
        close(from);
      }
      if(!last){
        close(1);
        dup(fds[1]);
        close(fds[0]);
        close(fds[1]);
      }
      runcmd(&here);
    }
    children++;
    if(from != 0)
      close(from);
    if(last)
      break;
    close(fds[1]);
    from = fds[0];
    next(in);
  }
  while(children-- > 0)
    wait(0);
}

// Runs pipelines until the token `last` or the end of the line.
static void
run_line(struct input *in, enum token last)
{
  while(in->token != END && in->token != last){
    struct input here = *in;
    if(in->token == SEMICOLON || in->token == AMPERSAND || in->token == BAR)
      panic("sh: syntax error: a command is missing");
    if(in->token == CLOSE)
      panic("sh: syntax error: ) without (");
    skip_pipeline(in, 1);
    if(in->token == AMPERSAND){
      // It must not be a child of this process, which would take its end for
      // that of a later command. So a child has it as its own child and ends
      // at once; then init waits for it.
      if(fork1() == 0){
        if(fork1() == 0)
          run_pipeline(&here);
        exit(0);
      }
      wait(0);
    } else {
      run_pipeline(&here);
    }
    if(in->token == SEMICOLON || in->token == AMPERSAND)
      next(in);
  }
}

// `cd` must happen in the shell itself: a child's directory is its own.
static int
change_directory(char *line)
{
  if(line[0] != 'c' || line[1] != 'd' || !is_blank(line[2]))
    return 0;
  char *name = line + 3;
  while(is_blank(*name))
    name++;
  for(char *end = name + strlen(name); end > name && is_blank(end[-1]); )
    *--end = 0;
  if(chdir(name) < 0)
    fprintf(2, "cannot cd %s\n", name);
  return 1;
}

static int
getcmd(char *line)
{
  write(2, "$ ", 2);
  gets(line, MAXLINE);
  return line[0] == 0 ? -1 : 0;
}

// The programs that the shell starts inherit files 0, 1 and 2 from it.
static void
open_standard_files(void)
{
  int fd;

  do {
    fd = open("console", O_RDWR);
  } while(fd == 0 || fd == 1 || fd == 2);
  if(fd > 2)
    close(fd);
}

static void
run_in_child(char *line)
{
  if(fork1() == 0){
    struct input in = { .at = line };
    next(&in);
    run_line(&in, END);
    exit(0);
  }
  wait(0);
}

int
main(void)
{
  static char line[MAXLINE];

  open_standard_files();
  while(getcmd(line) == 0){
    // A child could only change its own directory.
    if(!change_directory(line))
      run_in_child(line);
  }
  exit(0);
}
