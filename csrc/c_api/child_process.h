// A child process with a pair of pipes. Its death is an error of the call that needs it, never a signal to the host.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "bytes.h"

namespace nlvc {

class ChildProcess {
  public:
    /// Starts a program with standard input and output joined to this object.
    /// @param seconds  patience for one answer
    ChildProcess(const std::vector<std::string>& command, int seconds);
    /// Ends the input, gives the child a moment to leave and kills it otherwise.
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// std::runtime_error when the child is gone or silent; it is killed then and all further calls fail at once.
    void write(ByteView bytes);
    void read(uint8_t* to, size_t size);

  private:
    [[noreturn]] void fail(const std::string& what);
    void wait_ready(short events);
    void close_pipe();

    int socket_ = -1;
    pid_t process_ = -1;
    int seconds_;
};

}  // namespace nlvc
