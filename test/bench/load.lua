-- Sends one request as often as possible and checks every reply: its status, a text in it, its length.
-- Arguments: method, body, status, text, length or nothing, then names and values of headers.
local REQUESTS_FOR_ADDRESS = 50
local threads = {}

function setup(thread)
  thread:set("wrong", 0)
  table.insert(threads, thread)
end

function init(args)
  wrk.method = args[1]
  wrk.body = args[2] ~= "" and args[2] or nil
  expected_status = tonumber(args[3])
  expected_text = args[4]
  expected_length = tonumber(args[5])
  for i = 6, #args, 2 do
    wrk.headers[args[i]] = args[i + 1]
    if string.find(args[i + 1], "{address}", 1, true) then change_addresses(args[i], args[i + 1]) end
  end
end

-- Addresses of 10.0.0.0/8. Runs that begin a second apart have others, unless there are more than 1,000 in a second.
function change_addresses(header, value)
  local first = os.time() * 1000
  local count = 0
  local current
  function request()
    if count % REQUESTS_FOR_ADDRESS == 0 then
      local n = first + count / REQUESTS_FOR_ADDRESS
      local address = string.format("10.%d.%d.%d", math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)
      wrk.headers[header] = string.gsub(value, "{address}", address)
      current = wrk.format()
    end
    count = count + 1
    return current
  end
end

function response(status, headers, body)
  if status ~= expected_status
    or not string.find(body, expected_text, 1, true)
    or (expected_length and #body ~= expected_length) then
    wrong = wrong + 1
  end
end

function done(summary, latency, requests)
  local all = 0
  for _, thread in ipairs(threads) do all = all + thread:get("wrong") end
  local errors = summary.errors
  -- what wrk counts as an error of the status is judged above
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    'RESULT {"requests":%d,"wrong":%d,"broken":%d,"p50Ms":%.3f,"p99Ms":%.3f}\n',
    summary.requests, all, broken, latency:percentile(50) / 1000, latency:percentile(99) / 1000
  ))
end
