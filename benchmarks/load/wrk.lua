-- Sends requests that were signed beforehand, and says what became of them in one line of JSON.
--
--   wrk ... -s wrk.lua URL -- MODE FILE HOST PATH THINK QUIET CONNECTIONS
--
-- MODE "lines": each line of FILE is an Authorization header, used once; when they run out, that is an error.
-- MODE "whole": FILE is one whole request, sent again and again.
-- THINK: mean milliseconds that a connection waits before each request; 0 for none.
-- QUIET: milliseconds that a new connection waits in addition before its first.

-- Milliseconds over which connections begin: all at once would stay in step for good.
local spread = 1000
local lines, whole, head
local think, quiet, new_connections = 0, 0, 0
sent = 0

function init(args)
   local mode, file, host, path = args[1], args[2], args[3], args[4]
   think, quiet, new_connections = tonumber(args[5]), tonumber(args[6]), tonumber(args[7])
   if mode == "whole" then
      local opened = assert(io.open(file, "rb"))
      whole = opened:read("*a")
      opened:close()
   else
      lines = io.lines(file)
      head = "GET " .. path .. " HTTP/1.1\r\nHost: " .. host .. "\r\nUser-Agent: printer/1.0\r\nAccept: */*\r\nAuthorization: "
   end
   if think > 0 or quiet > 0 then
      math.randomseed(os.time())
      delay = pause
   end
end

function request()
   sent = sent + 1
   if whole then
      return whole
   end
   local line = lines()
   if line == nil then
      io.stderr:write("the signed requests have run out\n")
      os.exit(3)
   end
   return head .. line .. "\r\n\r\n"
end

-- Exponential: requests of many connections then arrive as those of many independent clients do.
function pause()
   local wait = 0
   if think > 0 then
      wait = -think * math.log(1 - math.random()) + math.random()
   end
   if new_connections > 0 then
      new_connections = new_connections - 1
      wait = wait + quiet + (think > 0 and 0 or spread * math.random())
   end
   return math.floor(wait)
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests": %d, "microseconds": %d, "sent": %d, "p50": %d, "p99": %d, "not_ok": %d, "socket_errors": %d, "timeouts": %d}\n',
      summary.requests, summary.duration, sent, latency:percentile(50), latency:percentile(99),
      errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
